//! One screen of `outflow top`. A mark says what needs somebody; colour only
//! repeats it.

use broker::Depth;
use broker::topology::DEAD;
use domain::CircuitState;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Row, Table};

use crate::output::{age, headroom, moment};
use crate::overview::{Channel, Overview};

/// Whether colours may be used: <https://no-color.org>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    Coloured,
    Plain,
}

/// What is drawn.
pub(super) struct Look<'a> {
    pub(super) overview: &'a Overview,
    /// Why the last look failed; then the screen shows the one before.
    pub(super) trouble: Option<&'a str>,
    pub(super) paint: Paint,
}

/// A message that the outbox has kept for longer is marked.
const LAG_SECONDS: i64 = 60;

/// A deadline that is nearer is marked.
const NEAR_SECONDS: i64 = 24 * 3600;

/// Columns of the queues, beside which the states have what is left.
const QUEUES_WIDTH: u16 = 52;

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, look: &Look<'_>) {
    let head = head(look);
    let channels = look.overview.channels();
    let [top, middle, bottom, foot] = Layout::vertical([
        Constraint::Length(lines(head.len())),
        Constraint::Length(lines(channels.len() + 3)),
        Constraint::Min(3),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let [left, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(QUEUES_WIDTH)]).areas(bottom);
    frame.render_widget(Paragraph::new(head), top);
    draw_channels(frame, middle, (look, &channels));
    draw_withdrawals(frame, left, look);
    draw_queues(frame, right, look);
    frame.render_widget(Line::from("q ends · ! needs somebody · outflow doctor says how to mend"), foot);
}

fn lines(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

impl Look<'_> {
    fn urgent(&self) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        if self.paint == Paint::Coloured { bold.fg(Color::Red) } else { bold }
    }

    /// A row, marked where it needs somebody.
    fn row(&self, cells: Vec<String>, needs_somebody: bool) -> Row<'static> {
        let mark = if needs_somebody { "!" } else { " " };
        let style = if needs_somebody { self.urgent() } else { Style::new() };
        Row::new(std::iter::once(mark.to_owned()).chain(cells)).style(style)
    }

    fn line(&self, text: String, needs_somebody: bool) -> Line<'static> {
        if needs_somebody { Line::styled(format!("! {text}"), self.urgent()) } else { Line::from(text) }
    }
}

/// The moment, what waits besides, and everything that keeps money from leaving.
fn head(look: &Look<'_>) -> Vec<Line<'static>> {
    let it = look.overview;
    let piles = &it.gauges.piles;
    let lag = piles.unpublished_since.map_or(0, |since| it.age(since));
    let parked = piles.parked_since.map(|since| format!(" ({})", age(it.age(since)))).unwrap_or_default();
    let mut lines = vec![
        look.line(format!("Outflow at {}", moment(it.at)), false),
        look.line(format!("outbox {} ({})", piles.unpublished, age(lag)), lag > LAG_SECONDS),
        look.line(format!("parked {}{parked}", piles.parked), piles.parked > 0),
        look.line(format!("stopped accounts {}", piles.stopped_accounts), piles.stopped_accounts > 0),
    ];
    // Rare, and a line is dear: told only when there are some.
    for (what, count) in
        [("bank runs that wait", piles.waiting_bank_runs), ("open differences", piles.open_differences)]
    {
        if count > 0 {
            lines.push(look.line(format!("{what} {count}"), true));
        }
    }
    for stop in &it.stops {
        let text = format!("STOPPED {}: {} ({})", stop.name, stop.reason, stop.thrown_by);
        lines.push(look.line(text, true));
    }
    for (rail, circuit) in it.circuits.iter().filter(|(_, it)| it.state != CircuitState::Closed) {
        let cause = circuit.cause.as_deref().unwrap_or("nobody knows why");
        lines.push(look.line(format!("RESTS {rail}: {cause}"), true));
    }
    if let Some(trouble) = look.trouble {
        lines.push(look.line(format!("this is the look before: {trouble}"), true));
    }
    lines
}

/// A table whose first column is the mark, and whose second is wide.
fn table(
    title: &'static str,
    header: &[&'static str],
    (wide, narrow): (u16, u16),
    rows: Vec<Row<'static>>,
) -> Table<'static> {
    let rest = header.iter().skip(1).map(|_| Constraint::Length(narrow));
    let widths = [Constraint::Length(1), Constraint::Length(wide)].into_iter().chain(rest);
    let header = Row::new(std::iter::once("").chain(header.iter().copied()));
    Table::new(rows, widths)
        .header(header.style(Style::new().add_modifier(Modifier::UNDERLINED)))
        .block(Block::new().title(title))
}

fn draw_channels(frame: &mut Frame<'_>, area: Rect, (look, channels): (&Look<'_>, &[Channel<'_>])) {
    let row = |it: &Channel<'_>| {
        let left = it.next_deadline_at.map(|at| look.overview.headroom(at));
        let circuit = it.circuit.map_or(CircuitState::Closed, |it| it.state);
        let cells = vec![
            it.rail.to_string(),
            if it.stop.is_some() { "STOPPED" } else { "go out" }.to_owned(),
            circuit.to_string(),
            it.waiting.to_string(),
            it.in_flight.to_string(),
            it.unknown.to_string(),
            it.in_review.to_string(),
            it.overdue.to_string(),
            left.map(headroom).unwrap_or_default(),
        ];
        let in_doubt = it.unknown + it.in_review + it.overdue > 0;
        let is_near = it.rail == domain::Rail::Bank && left.is_some_and(|left| left < NEAR_SECONDS);
        look.row(cells, it.stop.is_some() || circuit != CircuitState::Closed || in_doubt || is_near)
    };
    let header =
        ["channel", "sends", "circuit", "to go", "in flight", "unknown", "review", "overdue", "deadline"];
    let rows = channels.iter().map(row).collect();
    let widths = [1, 9, 8, 9, 7, 9, 8, 7, 8].map(Constraint::Length);
    let widths = widths.into_iter().chain([Constraint::Fill(1)]);
    frame.render_widget(table("Channels", &header, (9, 9), rows).widths(widths), area);
}

fn draw_withdrawals(frame: &mut Frame<'_>, area: Rect, look: &Look<'_>) {
    let it = look.overview;
    let row = |states: &store::gauges::States| {
        let cells = vec![states.state.clone(), states.count.to_string(), age(it.age(states.oldest_at))];
        look.row(cells, states.state == "action_required")
    };
    let rows = it.gauges.withdrawals.iter().map(row).collect();
    frame.render_widget(table("Withdrawals", &["state", "count", "oldest for"], (17, 11), rows), area);
}

fn draw_queues(frame: &mut Frame<'_>, area: Rect, look: &Look<'_>) {
    let row = |it: &Depth| match it.counted {
        Some(counted) => {
            // Dead letters are for people: the parking worker alone empties their queue.
            let idle = counted.consumers == 0 && (it.queue != DEAD || counted.ready > 0);
            let cells = vec![it.queue.to_owned(), counted.ready.to_string(), counted.consumers.to_string()];
            look.row(cells, idle)
        }
        None => look.row(vec![it.queue.to_owned(), "missing".to_owned(), String::new()], true),
    };
    let rows = match &look.overview.queues {
        Ok(queues) => queues.iter().map(row).collect(),
        Err(error) => vec![look.row(vec![error.clone()], true)],
    };
    frame.render_widget(table("Queues", &["queue", "messages", "consumers"], (24, 9), rows), area);
}

#[cfg(test)]
mod tests;
