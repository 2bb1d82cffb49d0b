//! `outflow top`: what is under way, on a screen that lives.
//!
//! It shows what `status` shows, read anew each second. A look that fails leaves
//! the one before on the screen, and says that it is old.

mod screen;

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::{Context, Result};
use broker::Connections;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use store::Database;
use tokio::sync::mpsc;
use tokio::time::{Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;
use workers::Clock;

use self::screen::{Look, Paint};
use crate::cli::General;
use crate::exit::{Exit, Failure};
use crate::interrupt::stop_on_signal;
use crate::overview::Overview;
use crate::settings::Settings;
use crate::{logging, output, wiring};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// Shows everything until `q`, Esc or Ctrl-C.
///
/// # Errors
/// When there is no terminal, or the database is away at the beginning.
pub(crate) async fn run(general: &General) -> Result<()> {
    if !(std::io::stdout().is_terminal() && std::io::stdin().is_terminal()) || general.output.is_data() {
        let what = "outflow top needs a terminal, to draw on and to be ended from";
        let next = "outflow status shows the same once, and --output json for programs";
        return Err(Failure::new(Exit::Usage, what, next).into());
    }
    let settings = Settings::load(general.config.as_deref())?;
    let database = wiring::database(&settings).await?;
    let connections = wiring::broker_later(&settings, "outflow top")?;
    let first = Overview::read(&database, &connections, Clock::System.now()).await?;
    let stop = stop_on_signal()?;
    let mut terminal = ratatui::try_init().context("taking over the terminal")?;
    let ended = Eye { database, connections, clock: clock() }.show(&mut terminal, first, &stop).await;
    // The end of a terminal shows its cursor again.
    drop(terminal);
    ratatui::try_restore().context("giving the terminal back")?;
    ended?;
    output::next(general, "outflow status · outflow list");
    Ok(())
}

/// One look after the other; those that took too long are not made up for.
fn clock() -> Interval {
    let mut clock = interval_at(tokio::time::Instant::now() + EVERY, EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    clock
}

/// Who looks.
struct Eye {
    database: Database,
    connections: Connections,
    clock: Interval,
}

impl Eye {
    async fn show(
        mut self,
        terminal: &mut DefaultTerminal,
        first: Overview,
        stop: &CancellationToken,
    ) -> Result<()> {
        let paint = if logging::colour() { Paint::Coloured } else { Paint::Plain };
        let (mut overview, mut trouble) = (first, None);
        let mut keyboard = keyboard();
        loop {
            let look = Look { overview: &overview, trouble: trouble.as_deref(), paint };
            terminal.draw(|frame| screen::draw(frame, &look)).context("drawing")?;
            tokio::select! {
                event = keyboard.recv() => match event {
                    Some(Event::Key(key)) if ends(key) => return Ok(()),
                    // Whatever else it was, such as another size of the window: drawn anew.
                    Some(_) => {}
                    None => return Ok(()),
                },
                () = stop.cancelled() => return Ok(()),
                fresh = self.look() => match fresh {
                    Ok(fresh) => (overview, trouble) = (fresh, None),
                    Err(error) => trouble = Some(format!("{error:#}")),
                },
            }
        }
    }

    async fn look(&mut self) -> Result<Overview> {
        self.clock.tick().await;
        Overview::read(&self.database, &self.connections, Clock::System.now()).await
    }
}

/// What comes from the terminal, read in a thread of its own: a database that hangs
/// must not keep anybody from leaving.
fn keyboard() -> mpsc::UnboundedReceiver<Event> {
    let (tell, told) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if tell.send(event).is_err() {
                return;
            }
        }
    });
    told
}

fn ends(key: KeyEvent) -> bool {
    key.kind == KeyEventKind::Press
        && (matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
            || (key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL)))
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::ends;

    #[test]
    fn three_keys_end_it_and_no_other() {
        for (code, modifiers, expected) in [
            (KeyCode::Char('q'), KeyModifiers::NONE, true),
            (KeyCode::Esc, KeyModifiers::NONE, true),
            (KeyCode::Char('c'), KeyModifiers::CONTROL, true),
            (KeyCode::Char('c'), KeyModifiers::NONE, false),
            (KeyCode::Enter, KeyModifiers::NONE, false),
        ] {
            assert_eq!(ends(KeyEvent::new(code, modifiers)), expected, "{code:?} {modifiers:?}");
        }
    }
}
