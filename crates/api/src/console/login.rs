//! Coming and going: login with a token, logout, and the choice of a language.

use axum::body::Bytes;
use axum::extract::{Query, State as Extract};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};
use serde::Deserialize;

use super::frame;
use super::session::{self, Filled, LANGUAGE};
use super::words::Lang;
use crate::State;

/// Where to go after the login.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Next {
    next: Option<String>,
}

/// `GET /login`
pub(super) async fn show(headers: HeaderMap, Query(next): Query<Next>) -> Html<String> {
    Html(form(session::language(&headers), &local(next.next.as_deref()), false).into_string())
}

fn form(lang: Lang, next: &str, is_wrong: bool) -> Markup {
    let content = html! {
        main.login {
            h1.brand { span.mark aria-hidden="true" { "⇥" } " Outflow" }
            p { (lang.say("Withdrawals in, money out.", "提现进来，资金出去。")) }
            form action="/login" method="post" {
                input type="hidden" name="next" value=(next);
                label { span { (lang.say("Your token", "您的令牌")) }
                    input type="password" name="token" required autofocus autocomplete="current-password"; }
                @if is_wrong {
                    p.error role="alert" { (lang.say("This token is nobody's, or was taken back.", "令牌无效或已被收回。")) }
                }
                button.primary type="submit" { (lang.say("Log in", "登录")) }
            }
            p.dim { (lang.say("An administrator makes one: ", "由管理员创建：")) code { "outflow operator add NAME --role ROLE" } }
        }
    };
    frame::bare(lang, lang.say("Log in", "登录"), &content)
}

/// A place on this server and nowhere else.
fn local(place: Option<&str>) -> String {
    let fits = |it: &&str| it.starts_with('/') && !it.starts_with("//") && !it.contains(['\\', '\r', '\n']);
    place.filter(fits).unwrap_or("/").to_owned()
}

/// `POST /login`
pub(super) async fn enter(Extract(state): Extract<State>, headers: HeaderMap, body: Bytes) -> Response {
    let fields = session::fields(&body);
    let next = local(fields.get("next").map(String::as_str));
    let token = fields.get("token").map_or("", |it| it.trim());
    match session::open(&state, token).await {
        Ok(Some(cookie)) => (StatusCode::SEE_OTHER, [(LOCATION, next), (SET_COOKIE, cookie)]).into_response(),
        Ok(None) => {
            (StatusCode::UNAUTHORIZED, Html(form(session::language(&headers), &next, true).into_string()))
                .into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// `POST /logout`
pub(super) async fn leave(Extract(state): Extract<State>, form: Filled) -> Response {
    session::close(&state, &form.visitor).await.into_response()
}

/// The language that was chosen.
#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    to: String,
}

/// `GET /language`: back to where the visitor was, in another language.
pub(super) async fn language(headers: HeaderMap, Query(choice): Query<Choice>) -> Response {
    let word = if choice.to == "zh" { "zh" } else { "en" };
    let referer = headers.get("referer").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let path = referer.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    let cookie = format!("{LANGUAGE}={word}; SameSite=Strict; HttpOnly; Path=/; Max-Age=31536000");
    (StatusCode::SEE_OTHER, [(LOCATION, local(path)), (SET_COOKIE, cookie)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn a_login_leads_to_a_place_of_ours_alone() {
        for (place, expected) in [
            (None, "/"),
            (Some("/approve?x=1"), "/approve?x=1"),
            (Some("//evil.example"), "/"),
            (Some("https://evil.example"), "/"),
            (Some("/\\evil.example"), "/"),
            (Some("/a\r\nset-cookie: x"), "/"),
        ] {
            assert_eq!(local(place), expected, "{place:?}");
        }
    }
}
