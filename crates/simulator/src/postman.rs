//! Sends notices to the merchant, again and again on each channel's schedule.
//!
//! What waits lives in memory, but the book knows what happened and what was told
//! to its end: a simulator that is started again on its book tells the rest, under
//! the same numbers, each from the beginning of its schedule. Times are the
//! simulator's clock's.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::behaviour::NoticePlan;
use crate::book::{Change, NewOrder, News, Order};
use crate::channel::Channel;
use crate::options::Notices;
use crate::world::{Shared, World};
use crate::{alipay, bank, unionpay, wechat};

/// How often the queue is looked at, by the machine's clock.
const ROUND: Duration = Duration::from_millis(20);

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// A notice on its way.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) key: String,
    pub(crate) channel: Channel,
    pub(crate) news: News,
    /// When the news happened, unix milliseconds.
    pub(crate) at_ms: i64,
    /// Number of the news among all of the book; a repeat keeps it, a restart too.
    pub(crate) sequence: u64,
    forged: bool,
    excess_fen: i64,
    url: String,
    due_ms: i64,
    failures: usize,
}

/// A notice as bytes.
pub(crate) struct Letter {
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// The queue and the client that sends from it.
pub(crate) struct Postman {
    queue: Mutex<Vec<Notice>>,
    /// Notices that wait for the one of the next order.
    held: Mutex<Vec<Notice>>,
    http: reqwest::Client,
}

impl Postman {
    pub(crate) fn new() -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client without special settings can be built");
        Self { queue: Mutex::default(), held: Mutex::default(), http }
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Notice>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a notice in line.
    fn post(&self, notice: Notice) {
        self.queue().push(notice);
    }

    /// Keeps a notice until another one of its channel was put in line.
    fn hold(&self, notice: Notice) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
    }

    /// Puts the notices that waited for `next` in line behind it.
    fn release(&self, next: &Notice) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        for mut notice in held.extract_if(.., |held| held.channel == next.channel) {
            notice.due_ms = next.due_ms + SECOND;
            self.post(notice);
        }
    }

    fn take_due(&self, now_ms: i64) -> Vec<Notice> {
        self.queue().extract_if(.., |notice| notice.due_ms <= now_ms).collect()
    }

    /// How many notices wait.
    pub(crate) fn waiting(&self) -> usize {
        self.queue().len()
    }
}

/// Looks at the queue until `stop`.
pub(crate) async fn work(world: Shared, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(ROUND) => round(&world),
        }
    }
}

fn round(world: &Shared) {
    let now_ms = world.clock.now_ms();
    let changes = world.book.enter(now_ms, |ledger| {
        let changes = ledger.take_changed();
        changes
            .into_iter()
            .filter_map(|change| Some((ledger.order(&change.key)?.clone(), change)))
            .collect::<Vec<_>>()
    });
    if world.switches.notices == Notices::Off {
        return;
    }
    for (order, change) in changes {
        enqueue(world, &order, &change);
    }
    for notice in world.postman.take_due(now_ms) {
        let world = world.clone();
        tokio::spawn(async move { send(&world, notice).await });
    }
}

/// Puts a change's notices in line, unless nobody wants to know.
fn enqueue(world: &World, order: &Order, change: &Change) {
    let plan = &order.placed.aftermath.notices;
    let Some(notice) = notice(world, order, change) else { return };
    let told = plan.early && change.news == News::Settled;
    let copies = u32::from(!told) + plan.extra;
    if plan.after_next {
        return world.postman.hold(notice);
    }
    for _ in 0..copies {
        world.postman.post(notice.clone());
    }
    world.postman.release(&notice);
}

fn notice(world: &World, order: &Order, change: &Change) -> Option<Notice> {
    let placed = &order.placed;
    let url = match placed.channel {
        // What failed was never booked, and left the trade as it was.
        Channel::Bank | Channel::Alipay if change.news == News::Failed => None,
        // A bank tells of bookings: of returns, and of transfers that took their time,
        // of others where account or scenario want it.
        Channel::Bank if change.news == News::Settled && is_plainly_paid(placed) => None,
        Channel::Bank => world.callbacks().bank.clone(),
        Channel::Alipay => placed.notify_url.clone().or_else(|| world.callbacks().alipay.clone()),
        Channel::Unionpay if change.news == News::Returned => None,
        Channel::Wechat | Channel::Unionpay => placed.notify_url.clone(),
    }?;
    let NoticePlan { delay_ms, forged, excess_fen, .. } = placed.aftermath.notices;
    Some(Notice {
        key: change.key.clone(),
        channel: placed.channel,
        news: change.news,
        at_ms: change.at_ms,
        sequence: change.sequence,
        forged,
        excess_fen,
        url,
        due_ms: change.at_ms + delay_ms,
        failures: 0,
    })
}

/// Whether the reply to the order said already that it was paid, and nobody asked
/// for anything else.
fn is_plainly_paid(placed: &NewOrder) -> bool {
    placed.due_ms == Some(placed.created_ms) && placed.aftermath.notices.is_plain()
}

/// Delivers the notice of an order that has just been settled, now; a repeat of the
/// order finds it told.
pub(crate) async fn send_early(world: &Shared, key: &str) {
    let now_ms = world.clock.now_ms();
    let found = world.book.enter(now_ms, |ledger| {
        ledger.order(key).filter(|order| !ledger.is_told(order.news_sequence)).cloned()
    });
    let Some(order) = found else { return };
    let change =
        Change { key: key.to_owned(), news: News::Settled, at_ms: now_ms, sequence: order.news_sequence };
    if let Some(notice) = notice(world, &order, &change) {
        send(world, notice).await;
    }
}

/// Sends once; a refusal puts the notice back in line for its next turn.
async fn send(world: &World, mut notice: Notice) {
    let Some(letter) = write(world, &notice) else { return };
    let accepted = deliver(world, &notice, letter).await;
    let now_ms = world.clock.now_ms();
    let url = notice.url.clone();
    match pauses(notice.channel).get(notice.failures) {
        Some(pause_ms) if !accepted => {
            notice.failures += 1;
            notice.due_ms = now_ms + pause_ms;
            world.postman.post(notice);
        }
        _ => world.book.enter(now_ms, |ledger| ledger.tell(notice.sequence)),
    }
    world.note_notice(&url, accepted);
}

fn write(world: &World, notice: &Notice) -> Option<Letter> {
    let now_ms = world.clock.now_ms();
    let found = world.book.enter(now_ms, |ledger| {
        let order = ledger.order(&notice.key)?.clone();
        let account = ledger.trade(notice.channel, [&order.placed.trade_no, ""]).cloned();
        Some((order, account))
    });
    let (mut order, mut account) = found?;
    // Both are copies: the book stays right.
    order.placed.amount_fen += notice.excess_fen;
    if let Some(account) = &mut account {
        account.refunded_fen += notice.excess_fen;
    }
    let letter = match (notice.channel, account) {
        (Channel::Alipay, Some(account)) => alipay::letter(world, notice, (&order, &account)),
        (Channel::Wechat, Some(account)) => wechat::letter(world, notice, (&order, &account)),
        (Channel::Unionpay, Some(_)) => unionpay::letter(world, &order),
        (Channel::Bank, _) => bank::letter(world, notice, &order),
        _ => return None,
    };
    Some(if notice.forged { forge(letter) } else { letter })
}

/// The letter with a signature of somebody else: one character differs.
fn forge(mut letter: Letter) -> Letter {
    let flip = |text: &str, at: usize| {
        let swapped = if text[at..].starts_with('A') { "B" } else { "A" };
        format!("{}{swapped}{}", &text[..at], &text[at + 1..])
    };
    match letter.body.rfind("sign=").or_else(|| letter.body.rfind("signature=")) {
        Some(at) if letter.headers.is_empty() => {
            let at = at + letter.body[at..].find('=').unwrap_or_default() + 5;
            letter.body = flip(&letter.body, at);
        }
        _ => {
            if let Some((_, value)) = letter.headers.iter_mut().find(|(name, _)| name.ends_with("Signature"))
            {
                *value = flip(value, 8);
            }
        }
    }
    letter
}

async fn deliver(world: &World, notice: &Notice, letter: Letter) -> bool {
    let patience = if notice.channel == Channel::Wechat { 5 } else { 10 };
    let mut request = world
        .postman
        .http
        .post(&notice.url)
        .timeout(Duration::from_secs(patience))
        .header("Content-Type", letter.content_type);
    for (name, value) in letter.headers {
        request = request.header(name, value);
    }
    let Ok(answer) = request.body(letter.body).send().await else { return false };
    let status = answer.status().as_u16();
    match notice.channel {
        Channel::Alipay => status == 200 && answer.text().await.is_ok_and(|text| text.trim() == "success"),
        Channel::Unionpay => status == 200,
        Channel::Wechat | Channel::Bank => status == 200 || status == 204,
    }
}

/// Milliseconds between one refusal and the next attempt.
const fn pauses(channel: Channel) -> &'static [i64] {
    match channel {
        Channel::Alipay => &[4 * MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 15 * HOUR],
        Channel::Wechat => &[
            15 * SECOND,
            15 * SECOND,
            30 * SECOND,
            3 * MINUTE,
            10 * MINUTE,
            20 * MINUTE,
            30 * MINUTE,
            30 * MINUTE,
            30 * MINUTE,
            HOUR,
            3 * HOUR,
            3 * HOUR,
            3 * HOUR,
            6 * HOUR,
            6 * HOUR,
        ],
        Channel::Unionpay => &[MINUTE, 2 * MINUTE, 4 * MINUTE, 5 * MINUTE],
        Channel::Bank => &[MINUTE, 5 * MINUTE, 30 * MINUTE],
    }
}
