//! The frame of every page: head, navigation, search, and what was just done.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};
use store::operators::Role;

use super::session::Visitor;
use super::words::Lang;
use crate::refusal::Refusal;

/// The pages in the order of the navigation: address, English, Chinese.
const PAGES: &[(&str, &str, &str)] = &[
    ("/", "Overview", "总览"),
    ("/approve", "To approve", "待审批"),
    ("/attention", "Needs attention", "需要关注"),
    ("/withdrawals", "Withdrawals", "提现记录"),
    ("/schedule", "Schedule", "排期"),
    ("/channels", "Channels", "渠道"),
    ("/parked", "Parked messages", "滞留消息"),
    ("/reconciliation", "Reconciliation", "对账"),
    ("/audit", "Audit", "审计"),
];

/// The pages of a machine of one's own.
const DEV_PAGES: &[(&str, &str, &str)] =
    &[("/withdraw", "Withdraw money", "申请提现"), ("/simulator", "Simulator", "网关模拟器")];

/// What was just done: the word in the address, English, Chinese.
const DONE: &[(&str, &str, &str)] = &[
    ("approved", "Your approval counts.", "您的批准已生效。"),
    ("denied", "The withdrawal was denied and its money released.", "已驳回，冻结金额已释放。"),
    ("canceled", "The withdrawal was taken back.", "提现已撤回。"),
    ("asked", "The gateway will be asked in a moment.", "稍后将向渠道查询。"),
    ("escalated", "The escalation is written down.", "升级处理已记录。"),
    ("paused", "Sends are stopped.", "已停止付款。"),
    ("resumed", "Sends go on.", "已恢复付款。"),
    ("replayed", "The message was sent again.", "消息已重新发送。"),
    ("discarded", "The message was discarded.", "消息已丢弃。"),
    ("published", "The request was published.", "申请已发布。"),
    (
        "repeated",
        "This form was sent before: what it asked for then stands, and nothing new was asked for.",
        "此表单此前已提交：以首次提交的内容为准，未产生新的申请。",
    ),
    ("detailed", "The bank details were taken.", "账户信息已收到。"),
    ("resolved", "What you say is written down.", "您的判断已记录。"),
    (
        "difference",
        "The difference is resolved; the next comparison of its day closes it.",
        "差异已处理，下次对账后关账。",
    ),
    ("held", "The withdrawal is on hold.", "提现已冻结。"),
    ("released", "The hold has ended.", "冻结已解除。"),
];

/// A page of a visitor.
pub(super) fn page(visitor: &Visitor, title: &str, content: &Markup) -> Markup {
    let lang = visitor.lang;
    let here = visitor.path.split('?').next().unwrap_or("/");
    bare(
        lang,
        title,
        &html! {
            a.skip href="#main" { (lang.say("Skip to the content", "跳到正文")) }
            header.top {
                a.brand href="/" { span.mark aria-hidden="true" { "⇥" } " Outflow" }
                form.search action="/withdrawals" role="search" {
                    input #search type="search" name="q" autocomplete="off"
                        aria-label=(lang.say("Search", "搜索"))
                        placeholder=(lang.say("Withdrawal, request, account or payout number   /", "提现号、申请号、账户或付款号   /"));
                }
                nav.tools aria-label=(lang.say("You", "您")) {
                    span.who { (visitor.person.name) " · " (lang.role(visitor.person.role)) }
                    a href={ "/language?to=" (lang.say("zh", "en")) } hreflang=(lang.say("zh-CN", "en")) { (lang.say("中文", "English")) }
                    button #help-open type="button" title=(lang.say("Keyboard (?)", "快捷键 (?)")) { "?" }
                    form action="/logout" method="post" {
                        (token(visitor, "/logout"))
                        button.quiet type="submit" { (lang.say("Log out", "退出")) }
                    }
                }
            }
            div.body {
                nav.side aria-label=(lang.say("Pages", "页面")) {
                    @for (address, english, chinese) in PAGES.iter().filter(|it| may_open(visitor, it.0)) { (link(here, address, lang.say(english, chinese))) }
                    @if visitor.is_dev {
                        span.rule { (lang.say("on your machine", "本机专用")) }
                        @for (address, english, chinese) in DEV_PAGES { (link(here, address, lang.say(english, chinese))) }
                    }
                }
                main #main tabindex="-1" { (done(visitor)) h1 { (title) } (content) }
            }
            (help(lang))
        },
    )
}

/// Whether a page of the menu is one that this visitor's role may see.
fn may_open(visitor: &Visitor, address: &str) -> bool {
    address != "/audit" || visitor.person.may(Role::Approver)
}

fn link(here: &str, address: &str, word: &str) -> Markup {
    let is_here = if address == "/" { here == "/" } else { here.starts_with(address) };
    // `/withdraw` is the beginning of `/withdrawals`.
    let is_here = is_here
        && here.get(address.len()..).is_none_or(|it| it.is_empty() || it.starts_with('/') || address == "/");
    html! { a href=(address) aria-current=[is_here.then_some("page")] { (word) } }
}

fn done(visitor: &Visitor) -> Markup {
    let word =
        visitor.path.split_once('?').and_then(|(_, query)| query.strip_prefix("done=")).unwrap_or_default();
    let told = DONE.iter().find(|(name, ..)| *name == word);
    html! { @if let Some((_, english, chinese)) = told { p.told role="status" { (visitor.lang.say(english, chinese)) } } }
}

fn help(lang: Lang) -> Markup {
    let keys = [
        ("/", lang.say("search", "搜索")),
        ("j  k", lang.say("next, previous row", "下一行、上一行")),
        ("Enter", lang.say("open the row", "打开所选行")),
        ("a", lang.say("go to the approval", "转到审批")),
        ("?", lang.say("this help", "显示帮助")),
    ];
    html! {
        dialog #help aria-labelledby="help-title" {
            h2 #help-title { (lang.say("Keyboard", "快捷键")) }
            dl.keys { @for (key, word) in keys { dt { kbd { (key) } } dd { (word) } } }
            form method="dialog" { button { (lang.say("Close", "关闭")) } }
        }
    }
}

/// A page without navigation.
pub(super) fn bare(lang: Lang, title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Outflow" }
                link rel="icon" type="image/svg+xml" href="/assets/favicon.svg";
                link rel="stylesheet" href="/assets/console.css";
                script src="/assets/console.js" defer {}
            }
            body { (content) }
        }
    }
}

/// The hidden field that every form carries.
pub(super) fn token(visitor: &Visitor, action: &str) -> Markup {
    html! { input type="hidden" name="csrf" value=(visitor.token(action)); }
}

/// A form of one button and, where it asks for one, a reason.
pub(super) fn reason_form(visitor: &Visitor, action: &str, label: &str, class: &str) -> Markup {
    let lang = visitor.lang;
    html! {
        form.act action=(action) method="post" {
            (token(visitor, action))
            label { span { (lang.say("Reason", "原因")) }
                input name="reason" required maxlength="500" autocomplete="off"; }
            button class=(class) type="submit" { (label) }
        }
    }
}

/// An empty list says why it is empty.
pub(super) fn nothing(words: &str) -> Markup {
    html! { p.nothing { span aria-hidden="true" { "✓ " } (words) } }
}

/// A refusal as a page: every reason, and the way back.
pub(super) fn refused(visitor: &Visitor, refusal: &Refusal) -> Response {
    let lang = visitor.lang;
    let content = html! {
        section.card.refusal role="alert" {
            p { (lang.say("Nothing was changed.", "没有任何更改。")) }
            ul {
                @for problem in refusal.problems() {
                    li { strong { (problem.title) } " " (problem.detail)
                        @if let Some(pointer) = &problem.pointer { " " code { (pointer) } }
                        @if let Some(rule) = &problem.rule { " " span.rule-id { (rule) } } }
                }
            }
            p { a.button href=(visitor.path.split('?').next().unwrap_or("/").rsplit_once('/').map_or("/", |(up, _)| if up.is_empty() { "/" } else { up })) {
                (lang.say("Back", "返回")) } }
        }
    };
    let status = refusal.status();
    (status, Html(page(visitor, lang.say("This was refused", "操作被拒绝"), &content).into_string()))
        .into_response()
}

/// A page that could not be shown, or one that could.
pub(super) fn shown(visitor: &Visitor, page: Result<Markup, Refusal>) -> Response {
    match page {
        Ok(page) => Html(page.into_string()).into_response(),
        Err(refusal) => refused(visitor, &refusal),
    }
}

/// Leads on after something was done, or tells why it was not.
pub(super) fn after(visitor: &Visitor, done: Result<(), Refusal>, place: &str, word: &str) -> Response {
    match done {
        Ok(()) => {
            let place = format!("{place}?done={word}");
            (StatusCode::SEE_OTHER, [(axum::http::header::LOCATION, place)]).into_response()
        }
        Err(refusal) => refused(visitor, &refusal),
    }
}
