//! What the book's lines add up to, and the only places where lines are made.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};

use super::entry::{BankMessage, Entry, Kind, Movement, NewOrder, Trade};
use crate::behaviour::What;
use crate::channel::Channel;
use crate::clock::parse_rfc3339;

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Taken on; the money has not moved yet.
    Pending,
    /// The money moved.
    Paid,
    /// The money will never move under this order. Code and text.
    Refused(String, String),
    /// The money moved and came back. Code of the reason.
    Returned(String),
}

/// A change of an order that somebody outside may be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    Settled,
    Returned,
    Failed,
}

/// An order that changed.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) key: String,
    pub(crate) news: News,
    pub(crate) at_ms: i64,
    /// Number of the news among all of the book, counted from one.
    pub(crate) sequence: u64,
}

/// An order and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) placed: NewOrder,
    pub(crate) state: State,
    /// When the state was last changed, unix milliseconds.
    pub(crate) changed_ms: i64,
    /// Number of its newest news; 0 when there was none.
    pub(crate) news_sequence: u64,
    /// Status queries that met it while it was pending.
    pub(crate) queries: u32,
}

/// A registered trade and what was refunded of it.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) trade: Trade,
    pub(crate) paid_ms: i64,
    /// Refunded or about to be, in fen.
    pub(crate) committed_fen: i64,
    /// Money that has moved, in fen.
    pub(crate) refunded_fen: i64,
    /// Refunds that were taken on.
    pub(crate) refunds: u32,
    /// When the newest refund was taken on, unix milliseconds.
    pub(crate) last_refund_ms: Option<i64>,
}

/// Everything the book says.
#[derive(Default)]
pub(crate) struct Ledger {
    accounts: Vec<Account>,
    by_trade_no: HashMap<(Channel, String), usize>,
    by_out_trade_no: HashMap<(Channel, String), usize>,
    orders: HashMap<String, Order>,
    movements: Vec<Movement>,
    attempts: HashMap<String, u32>,
    messages: HashMap<String, BankMessage>,
    message_of: HashMap<String, String>,
    due: BinaryHeap<Reverse<(i64, u64, String, What)>>,
    turns_seen: u64,
    /// News that nobody was told of yet, by number.
    changed: BTreeMap<u64, Change>,
    news_seen: u64,
    told: HashSet<u64>,
    written: Vec<u8>,
}

impl Ledger {
    /// Applies a line. The same function for a replay and for a new line.
    pub(super) fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Trade(trade) => self.apply_trade(trade),
            Entry::Order(order) => self.apply_order(order),
            Entry::Movement(movement) => {
                self.apply_movement(movement);
                let news = if movement.kind == Kind::Payout { News::Settled } else { News::Returned };
                self.note_news(&movement.key, news, movement.at_ms);
            }
            Entry::Failed { key, code, at_ms } => {
                self.apply_failure(key, code, *at_ms);
                self.note_news(key, News::Failed, *at_ms);
            }
            Entry::Told { sequence } => {
                self.told.insert(*sequence);
            }
            Entry::Attempt { key } => *self.attempts.entry(key.clone()).or_default() += 1,
            Entry::BankMessage(message) => self.apply_message(message),
            Entry::Query { key } => {
                if let Some(order) = self.orders.get_mut(key) {
                    order.queries += 1;
                }
            }
        }
    }

    /// Writes a line and applies it.
    pub(crate) fn record(&mut self, entry: &Entry) {
        serde_json::to_writer(&mut self.written, entry).expect("an entry has string keys only");
        self.written.push(b'\n');
        self.apply(entry);
    }

    fn note_news(&mut self, key: &str, news: News, at_ms: i64) {
        self.news_seen += 1;
        let sequence = self.news_seen;
        if let Some(order) = self.orders.get_mut(key) {
            order.news_sequence = sequence;
        }
        self.changed.insert(sequence, Change { key: key.to_owned(), news, at_ms, sequence });
    }

    /// After a replay: what was told to its end is no news any more.
    pub(super) fn forget_told(&mut self) {
        let told = &self.told;
        self.changed.retain(|sequence, _| !told.contains(sequence));
    }

    /// What changed since the last call; at first, all that the book has not told.
    pub(crate) fn take_changed(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changed).into_values().collect()
    }

    /// Remembers that news was told to its end, once: copies are told too.
    pub(crate) fn tell(&mut self, sequence: u64) {
        if !self.is_told(sequence) {
            self.record(&Entry::Told { sequence });
        }
    }

    /// Whether news was told to its end.
    pub(crate) fn is_told(&self, sequence: u64) -> bool {
        self.told.contains(&sequence)
    }

    /// The bytes that are not in the file yet.
    pub(super) fn take_written(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.written)
    }

    /// Lets every turn happen whose time has come, each at its own time.
    pub(crate) fn settle_due(&mut self, now_ms: i64) {
        while self.due.peek().is_some_and(|Reverse((at_ms, ..))| *at_ms <= now_ms) {
            let Some(Reverse((at_ms, _, key, what))) = self.due.pop() else { return };
            let Some(state) = self.orders.get(&key).map(|order| order.state.clone()) else { continue };
            match (what, state) {
                (What::Settle, State::Pending) => self.pay(&key, at_ms),
                (What::Return(reason), State::Paid) => {
                    self.move_money(&key, Kind::Return, (at_ms, Some(reason)));
                }
                (What::Fail(code), State::Pending) => self.record(&Entry::Failed { key, code, at_ms }),
                _ => {}
            }
        }
    }

    fn await_turn(&mut self, at_ms: i64, key: &str, what: What) {
        self.turns_seen += 1;
        self.due.push(Reverse((at_ms, self.turns_seen, key.to_owned(), what)));
    }

    /// Takes an order on; with `due_ms` at or before its creation, it is paid.
    pub(crate) fn place(&mut self, order: NewOrder) {
        let (key, due_ms, created_ms) = (order.key.clone(), order.due_ms, order.created_ms);
        self.record(&Entry::Order(order));
        if due_ms.is_some_and(|due_ms| due_ms <= created_ms) {
            self.pay(&key, created_ms);
        }
    }

    fn pay(&mut self, key: &str, at_ms: i64) {
        self.move_money(key, Kind::Payout, (at_ms, None));
    }

    /// Moves the money of an order, in either direction. `when` is the moment in
    /// unix milliseconds and the reason of a return.
    pub(crate) fn move_money(&mut self, key: &str, kind: Kind, when: (i64, Option<String>)) {
        let Some(order) = self.orders.get(key) else { return };
        let (at_ms, reason) = when;
        let movement = Movement {
            key: key.to_owned(),
            channel: order.placed.channel,
            number: order.placed.number.clone(),
            trade_no: order.placed.trade_no.clone(),
            amount_fen: order.placed.amount_fen,
            at_ms,
            kind,
            reason,
        };
        self.record(&Entry::Movement(movement));
    }

    /// How often `key` was tried before this call, counting it.
    pub(crate) fn count_attempt(&mut self, key: &str) -> u32 {
        self.record(&Entry::Attempt { key: key.to_owned() });
        self.attempts[key]
    }

    /// The order of a channel's identity: Alipay trade and `out_request_no`,
    /// `WeChat` `out_refund_no`, `UnionPay` `txnTime` and `orderId`, bank
    /// `EndToEndId`. See [`order_key`].
    pub(crate) fn order(&self, key: &str) -> Option<&Order> {
        self.orders.get(key)
    }

    /// A key for an order that is taken on although `key` exists already.
    pub(crate) fn another_key(&self, key: &str) -> String {
        (2..=u32::MAX)
            .map(|copy| format!("{key}#{copy}"))
            .find(|key| !self.orders.contains_key(key))
            .expect("there is a free number")
    }

    /// The trade by the channel's number, or else by the merchant's.
    pub(crate) fn trade(&self, channel: Channel, numbers: [&str; 2]) -> Option<&Account> {
        let [trade_no, out_trade_no] = numbers;
        let index = if trade_no.is_empty() {
            self.by_out_trade_no.get(&(channel, out_trade_no.to_owned()))
        } else {
            self.by_trade_no.get(&(channel, trade_no.to_owned()))
        };
        index.map(|index| &self.accounts[*index])
    }

    /// Every registered trade.
    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Every movement, oldest first.
    pub(crate) fn movements(&self) -> &[Movement] {
        &self.movements
    }

    /// How many orders the book holds: the source of the channels' own numbers.
    pub(crate) fn order_count(&self) -> u64 {
        self.orders.len() as u64
    }

    /// An accepted message by its `MsgId`.
    pub(crate) fn message(&self, msg_id: &str) -> Option<&BankMessage> {
        self.messages.get(msg_id)
    }

    /// The message that carries an `EndToEndId`: the one that took it on, or else the
    /// newest.
    pub(crate) fn message_with(&self, end_to_end_id: &str) -> Option<&BankMessage> {
        self.message_of.get(end_to_end_id).and_then(|msg_id| self.messages.get(msg_id))
    }

    /// How many messages were accepted.
    pub(crate) fn message_count(&self) -> u64 {
        self.messages.len() as u64
    }
}

/// Applying lines.
impl Ledger {
    fn apply_trade(&mut self, trade: &Trade) {
        let index = self.accounts.len();
        let channel = trade.channel;
        self.by_trade_no.insert((channel, trade.trade_no.clone()), index);
        self.by_out_trade_no.insert((channel, trade.out_trade_no.clone()), index);
        self.accounts.push(Account {
            paid_ms: trade.paid_at.as_deref().and_then(parse_rfc3339).unwrap_or_default(),
            trade: trade.clone(),
            committed_fen: 0,
            refunded_fen: 0,
            refunds: 0,
            last_refund_ms: None,
        });
    }

    fn account_mut(&mut self, channel: Channel, trade_no: &str) -> Option<&mut Account> {
        let index = self.by_trade_no.get(&(channel, trade_no.to_owned()))?;
        self.accounts.get_mut(*index)
    }

    fn apply_order(&mut self, order: &NewOrder) {
        let state = match &order.refused {
            Some((code, text)) => State::Refused(code.clone(), text.clone()),
            None => State::Pending,
        };
        if state == State::Pending {
            if let Some(account) = self.account_mut(order.channel, &order.trade_no) {
                account.committed_fen += order.amount_fen;
                account.refunds += 1;
                account.last_refund_ms = Some(order.created_ms);
            }
            if let Some(due_ms) = order.due_ms {
                self.await_turn(due_ms, &order.key, What::Settle);
            }
            for turn in &order.aftermath.turns {
                self.await_turn(turn.at_ms, &order.key, turn.what.clone());
            }
        }
        let changed_ms = order.created_ms;
        let order = Order { placed: order.clone(), state, changed_ms, news_sequence: 0, queries: 0 };
        self.orders.insert(order.placed.key.clone(), order);
    }

    fn apply_movement(&mut self, movement: &Movement) {
        if let Some(order) = self.orders.get_mut(&movement.key) {
            order.changed_ms = movement.at_ms;
            order.state = match movement.kind {
                Kind::Payout => State::Paid,
                Kind::Return => State::Returned(movement.reason.clone().unwrap_or_default()),
            };
        }
        if let Some(account) = self.account_mut(movement.channel, &movement.trade_no) {
            match movement.kind {
                Kind::Payout => account.refunded_fen += movement.amount_fen,
                Kind::Return => {
                    account.refunded_fen -= movement.amount_fen;
                    account.committed_fen -= movement.amount_fen;
                }
            }
        }
        self.movements.push(movement.clone());
    }

    fn apply_failure(&mut self, key: &str, code: &str, at_ms: i64) {
        let Some(order) = self.orders.get_mut(key) else { return };
        order.state = State::Refused(code.to_owned(), String::new());
        order.changed_ms = at_ms;
        let (channel, trade_no) = (order.placed.channel, order.placed.trade_no.clone());
        let amount_fen = order.placed.amount_fen;
        if let Some(account) = self.account_mut(channel, &trade_no) {
            account.committed_fen -= amount_fen;
        }
    }

    /// Whether a file took this transfer on.
    fn is_carried(&self, end_to_end_id: &str) -> bool {
        self.message_with(end_to_end_id).is_some_and(|message| {
            message
                .batches
                .iter()
                .flat_map(|batch| &batch.lines)
                .any(|line| line.end_to_end_id == end_to_end_id && line.order_key.is_some())
        })
    }

    fn apply_message(&mut self, message: &BankMessage) {
        for line in message.batches.iter().flat_map(|batch| &batch.lines) {
            // The file that carried the money wins over later ones that were refused.
            if line.order_key.is_some() || !self.is_carried(&line.end_to_end_id) {
                self.message_of.insert(line.end_to_end_id.clone(), message.msg_id.clone());
            }
        }
        self.messages.insert(message.msg_id.clone(), message.clone());
    }
}

/// The key of an order: the channel, what narrows the number, the number.
pub(crate) fn order_key(channel: Channel, scope: &str, number: &str) -> String {
    format!("{}|{scope}|{number}", channel.name())
}
