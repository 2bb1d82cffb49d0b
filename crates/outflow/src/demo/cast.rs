//! Who is in the demo: customers, and the money that they topped up.

use broker::contract::{AccountKind, PartnerMode};
use domain::Channel;

/// A customer of the upstream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customer {
    /// The account.
    pub(crate) account: &'static str,
    /// The name in the demo's lines.
    pub(crate) name: &'static str,
    /// The real-name identity (R12).
    pub(crate) real_name: &'static str,
    /// A person or an enterprise.
    pub(crate) kind: AccountKind,
    /// Whether the identity was verified (R14).
    pub(crate) verified: Verified,
    /// How it is tied to a partner (R2).
    pub(crate) partner: PartnerMode,
    /// What an invoice claims that was issued and not paid (R4).
    pub(crate) invoice: Option<&'static str>,
    /// The money, oldest first.
    pub(crate) top_ups: &'static [TopUp],
}

/// Whether an identity was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verified {
    Yes,
    No,
}

/// Money that came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TopUp {
    /// Its number at the upstream.
    pub(crate) id: &'static str,
    /// How it came.
    pub(crate) channel: Channel,
    /// How much, in yuan.
    pub(crate) amount: &'static str,
    /// When, in Shanghai.
    pub(crate) arrived: &'static str,
    /// How the channel's number of it ends: the simulator's magic, where it is any.
    pub(crate) ending: &'static str,
    /// Whether it earned a bonus (R3).
    pub(crate) mark: Mark,
}

/// What a top-up earned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Plain,
    Bonus,
}

/// A bank account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Card {
    pub(crate) holder: &'static str,
    pub(crate) number: &'static str,
    pub(crate) bank_name: &'static str,
    pub(crate) branch: &'static str,
    pub(crate) cnaps: &'static str,
}

/// The account from which the tea traders pay.
pub(crate) const LONGJING_ACCOUNT: Card = Card {
    holder: "杭州龙井茶业有限公司",
    number: "33050161702700000042",
    bank_name: "中国建设银行",
    branch: "杭州西湖支行",
    cnaps: "105331000042",
};

const fn top_up(id: &'static str, channel: Channel, amount: &'static str, arrived: &'static str) -> TopUp {
    TopUp { id, channel, amount, arrived, ending: "4242", mark: Mark::Plain }
}

const fn person(
    account: &'static str,
    names: (&'static str, &'static str),
    top_ups: &'static [TopUp],
) -> Customer {
    Customer {
        account,
        name: names.0,
        real_name: names.1,
        kind: AccountKind::Person,
        verified: Verified::Yes,
        partner: PartnerMode::None,
        invoice: None,
        top_ups,
    }
}

use Channel::{Alipay, BankTransfer, UnionPayEnterprise, UnionPayPersonal, WeChat};

/// Everybody.
pub(crate) const CUSTOMERS: &[Customer] = &[
    person(
        "acct-li-wei",
        ("Li Wei", "李伟"),
        &[
            top_up("A1", Alipay, "300.00", "2026-06-01T20:15:00+08:00"),
            top_up("A2", Alipay, "200.00", "2026-08-10T08:40:00+08:00"),
            top_up("A3", Alipay, "150.00", "2026-09-15T12:05:00+08:00"),
        ],
    ),
    person(
        "acct-zhang-min",
        ("Zhang Min", "张敏"),
        // WeChat Pay will say that this payment is too old to be refunded.
        &[TopUp { ending: "0014", ..top_up("B1", WeChat, "88.80", "2026-07-07T07:07:00+08:00") }],
    ),
    person(
        "acct-chen-jie",
        ("Chen Jie", "陈杰"),
        &[top_up("C1", UnionPayPersonal, "1000.00", "2026-08-20T10:00:00+08:00")],
    ),
    person(
        "acct-ma-jun",
        ("Ma Jun", "马军"),
        &[
            top_up("D1", UnionPayEnterprise, "500.00", "2026-07-01T09:00:00+08:00"),
            top_up("D2", WeChat, "120.00", "2026-08-15T09:00:00+08:00"),
            top_up("D3", Alipay, "80.50", "2026-09-20T09:00:00+08:00"),
        ],
    ),
    Customer {
        kind: AccountKind::Enterprise,
        ..person(
            "acct-longjing",
            ("Longjing Tea Co.", "杭州龙井茶业有限公司"),
            &[top_up("E1", BankTransfer, "5000.00", "2026-03-12T14:30:00+08:00")],
        )
    },
    person(
        "acct-wang-fang",
        ("Wang Fang", "王芳"),
        &[
            top_up("F1", Alipay, "640.00", "2025-08-23T18:00:00+08:00"), // 13 months ago
            top_up("F2", Alipay, "60.00", "2026-09-01T18:00:00+08:00"),
        ],
    ),
    person(
        "acct-sun-yue",
        ("Sun Yue", "孙悦"),
        &[top_up("G1", WeChat, "12000.00", "2026-09-10T11:00:00+08:00")],
    ),
    person(
        "acct-he-qiang",
        ("He Qiang", "何强"),
        &[top_up("H1", Alipay, "8000.00", "2026-09-22T03:14:00+08:00")],
    ),
    person(
        "acct-zhou-ting",
        ("Zhou Ting", "周婷"),
        &[TopUp { mark: Mark::Bonus, ..top_up("J1", Alipay, "500.00", "2026-09-01T10:00:00+08:00") }],
    ),
    Customer {
        kind: AccountKind::Enterprise,
        verified: Verified::No,
        partner: PartnerMode::AdvancePayment,
        ..person(
            "acct-bluebird",
            ("Bluebird Resellers", "蓝鸟代理有限公司"),
            &[top_up("K1", UnionPayEnterprise, "3000.00", "2026-09-05T10:00:00+08:00")],
        )
    },
    Customer {
        invoice: Some("800.00"),
        ..person(
            "acct-xu-lan",
            ("Xu Lan", "徐兰"),
            &[top_up("L1", WeChat, "1000.00", "2026-09-02T10:00:00+08:00")],
        )
    },
    person(
        "acct-deng-hao",
        ("Deng Hao", "邓浩"),
        &[top_up("M1", WeChat, "450.00", "2025-07-30T10:00:00+08:00")],
    ),
    person(
        "acct-lin-na",
        ("Lin Na", "林娜"),
        &[TopUp { ending: "0007", ..top_up("N1", Alipay, "66.60", "2026-09-18T21:00:00+08:00") }],
    ),
    person(
        "acct-guo-ping",
        ("Guo Ping", "郭平"),
        &[
            top_up("P1", UnionPayPersonal, "210.00", "2026-03-03T10:00:00+08:00"), // past its 3 months
        ],
    ),
    person(
        "acct-tang-yi",
        ("Tang Yi", "唐怡"),
        &[top_up("Q1", Alipay, "320.00", "2025-06-18T10:00:00+08:00")],
    ),
];

/// The customer of an account.
///
/// # Panics
/// When the account is nobody's, which a test excludes for all stories.
pub(crate) fn customer(account: &str) -> &'static Customer {
    CUSTOMERS.iter().find(|it| it.account == account).expect("every account of the demo is in the cast")
}

/// The top-up of a number.
pub(crate) fn find_top_up(id: &str) -> Option<&'static TopUp> {
    CUSTOMERS.iter().flat_map(|it| it.top_ups).find(|it| it.id == id)
}
