//! The gateway simulator: where it is, what its book says, and the accounts that
//! choose what happens.

use std::time::Duration;

use axum::extract::State as Extract;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::Value;

use super::super::frame::{page, shown};
use super::super::session::Visitor;
use crate::State;
use crate::refusal::Refusal;

/// The longest that the simulator may take.
const WITHIN: Duration = Duration::from_secs(2);

/// What the last four digits of a payee's account choose: digits, English, Chinese.
const MAGIC: &[(&str, &str, &str)] = &[
    ("0000", "paid", "付款成功"),
    ("0001", "pending, then paid", "处理中，随后成功"),
    ("0002", "no such account", "账户不存在"),
    ("0003", "the name is another", "户名不符"),
    ("0004", "over a limit", "超过限额"),
    ("0005", "our balance is too low", "我方余额不足"),
    ("0006", "lost before the money moves", "付款前超时"),
    ("0007", "lost after the money moved", "付款后超时"),
    ("0008", "unavailable twice, then paid", "两次不可用后成功"),
    ("0009", "paid, returned after three working days", "三个工作日后退回"),
    ("0010", "three notifications", "通知三次"),
    ("0011", "notified before the reply", "通知先于应答"),
    ("0012", "a bad signature", "签名错误"),
    ("0013", "never an answer", "永不应答"),
    ("0014", "the window is closed", "退款窗口已关闭"),
];

/// `GET /simulator`
pub(crate) async fn show(Extract(state): Extract<State>, visitor: Visitor) -> Response {
    let page = content(&state, &visitor).await;
    shown(&visitor, page)
}

async fn content(state: &State, visitor: &Visitor) -> Result<Markup, Refusal> {
    let lang = visitor.lang;
    let url = state.desk()?.dev.as_ref().and_then(|it| it.simulator_url.clone());
    let content = html! {
        @if let Some(url) = &url {
            section.card { h2 { (lang.say("The world outside", "外部世界")) }
                p { (lang.say("Four gateways with their own book listen at ", "四个网关及其账本位于 ")) code { (url) } }
                @for (path, english, chinese) in [("clock", "Clock", "时钟"), ("verdict", "Verdict", "裁定"), ("book", "Book", "账本")] {
                    details open[path != "book"] { summary { (lang.say(english, chinese)) } pre { (told(url, path).await) } }
                }
            }
        } @else { p { (lang.say("No simulator is set up here.", "此处没有模拟器。")) } }
        section.card { h2 { (lang.say("Magic accounts", "特殊账户")) }
            p.dim { (lang.say("The last four digits of the payee's account, or of the original payment's number, on every channel.", "收款账户或原支付单号的末四位，适用于所有渠道。")) }
            table { tbody { @for (digits, english, chinese) in MAGIC { tr { td { code { "…" (digits) } } td { (lang.say(english, chinese)) } } } } }
        }
    };
    Ok(page(visitor, lang.say("Simulator", "网关模拟器"), &content))
}

/// What the simulator says, or that it does not answer.
async fn told(url: &str, path: &str) -> String {
    let asked = async {
        let client = reqwest::Client::builder().timeout(WITHIN).build().ok()?;
        let answer = client.get(format!("{url}/_sim/{path}")).send().await.ok()?;
        answer.json::<Value>().await.ok()
    };
    asked.await.map_or_else(|| "…".to_owned(), |it| format!("{it:#}"))
}
