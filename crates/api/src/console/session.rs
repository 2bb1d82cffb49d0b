//! Who sits at the console: login, the cookie, and the token of every form.
//!
//! The cookie is 256 random bits of which the database keeps the SHA-256. It is
//! out of reach for scripts and for other sites. A form carries an HMAC of its own
//! address under the cookie, so that one form's token serves no other form and
//! nothing has to be kept.

use std::collections::BTreeMap;

use aws_lc_rs::{constant_time, hmac, rand};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use store::operators::{self, Role};
use store::{Database, audit};

use super::words::Lang;
use crate::State;
use crate::person::{Person, too_low};
use crate::refusal::Refusal;

/// The name of the cookie.
const SESSION: &str = "outflow_session";

/// The name of the cookie that remembers the language.
pub(crate) const LANGUAGE: &str = "outflow_language";

/// How long a session lasts: a working day.
const LIFETIME: TimeDelta = TimeDelta::hours(10);

/// The field of every form.
const TOKEN_FIELD: &str = "csrf";

/// Somebody who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    /// Who.
    pub(crate) person: Person,
    /// In which language they read.
    pub(crate) lang: Lang,
    /// The address that they look at.
    pub(crate) path: String,
    /// Whether this is a machine of one's own.
    pub(crate) is_dev: bool,
    cookie: String,
}

impl Visitor {
    /// The token of the form that goes to `action`.
    pub(crate) fn token(&self, action: &str) -> String {
        hex::encode(tag(&self.cookie, action))
    }

    /// That this visitor may do what `least` may.
    pub(crate) fn needs(&self, least: Role) -> Result<(), Refusal> {
        if self.person.may(least) { Ok(()) } else { Err(too_low(&self.person, least)) }
    }
}

fn tag(cookie: &str, action: &str) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, cookie.as_bytes());
    hmac::sign(&key, action.as_bytes())
}

/// A cookie of the request.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|it| it.to_str().ok());
    pairs.flat_map(|it| it.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name && !value.is_empty()).then_some(value)
    })
}

/// The language of a request.
pub(crate) fn language(headers: &HeaderMap) -> Lang {
    Lang::of(headers, cookie(headers, LANGUAGE))
}

impl FromRequestParts<State> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let here = parts.uri.path_and_query().map_or("/", |it| it.as_str());
        let login = || {
            let next = form_urlencoded::byte_serialize(here.as_bytes()).collect::<String>();
            let place =
                if parts.method == Method::GET { format!("/login?next={next}") } else { "/login".into() };
            (StatusCode::SEE_OTHER, [(LOCATION, place)]).into_response()
        };
        let desk = state.desk().map_err(IntoResponse::into_response)?;
        let cookie = cookie(&parts.headers, SESSION).ok_or_else(login)?.to_owned();
        let found = async {
            let mut connection = state.database.pool().acquire().await?;
            operators::by_session(&mut connection, &cookie, desk.engine.now()).await
        };
        let operator = found.await.map_err(|it: store::Error| Refusal::from(it).into_response())?;
        let person = operator.ok_or_else(login)?.into();
        Ok(Self {
            person,
            lang: language(&parts.headers),
            path: here.to_owned(),
            is_dev: desk.dev.is_some(),
            cookie,
        })
    }
}

/// A form that a visitor sent from a page of ours.
#[derive(Debug)]
pub(crate) struct Filled {
    /// Who.
    pub(crate) visitor: Visitor,
    fields: BTreeMap<String, String>,
}

impl Filled {
    /// A field; empty when it is missing.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |it| it.trim())
    }

    /// A field as it was written, where it was.
    pub(crate) fn whole(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// The fields of a form. Of a name that comes twice, both values with a comma.
pub(crate) fn fields(body: &[u8]) -> BTreeMap<String, String> {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        // Text areas send line ends as two characters.
        let value = value.replace("\r\n", "\n");
        fields.entry(name.into_owned()).and_modify(|it| *it = format!("{it},{value}")).or_insert(value);
    }
    fields
}

impl FromRequest<State> for Filled {
    type Rejection = Response;

    async fn from_request(request: Request, state: &State) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, state).await?;
        let action = parts.uri.path().to_owned();
        let request = Request::from_parts(parts, body);
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        let fields = fields(&body);
        let given = fields.get(TOKEN_FIELD).and_then(|it| hex::decode(it).ok()).unwrap_or_default();
        let expected = tag(&visitor.cookie, &action);
        if constant_time::verify_slices_are_equal(&given, expected.as_ref()).is_err() {
            let detail =
                "this form was not made for this sign-in; go back, load the page again and repeat it";
            return Err(Refusal::new("stale_form", StatusCode::FORBIDDEN, detail).into_response());
        }
        Ok(Self { visitor, fields })
    }
}

/// Opens a session for the holder of `token`, and answers with the cookie.
pub(crate) async fn open(state: &State, token: &str) -> Result<Option<String>, Refusal> {
    let desk = state.desk()?;
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system has randomness");
    let (cookie, at) = (hex::encode(bytes), desk.engine.now());
    let writing = write(state.database.clone(), token.to_owned(), cookie.clone(), at);
    let opened = tokio::spawn(writing).await;
    let opened = opened.map_err(|_| store::Error::Stale { what: "a session" })??;
    let secure = if desk.dev.is_some() { "" } else { "; Secure" };
    let seconds = LIFETIME.num_seconds();
    Ok(opened
        .then(|| format!("{SESSION}={cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}")))
}

async fn write(
    database: Database,
    token: String,
    cookie: String,
    at: DateTime<Utc>,
) -> Result<bool, store::Error> {
    let mut tx = database.begin().await?;
    let Some(operator) = operators::by_token(&mut tx, &token).await? else { return Ok(false) };
    operators::open_session(&mut tx, (&cookie, operator.id), at, at + LIFETIME).await?;
    let person = Person::from(operator);
    audit::put(&mut tx, &person.deed("login", "console"), at).await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends the session of a visitor.
pub(crate) async fn close(state: &State, visitor: &Visitor) -> Result<Response, Refusal> {
    let at = state.desk()?.engine.now();
    let (database, cookie) = (state.database.clone(), visitor.cookie.clone());
    let ending = async move {
        let mut tx = database.begin().await?;
        operators::end_session(&mut tx, &cookie, at).await?;
        tx.commit().await.map_err(store::Error::from)
    };
    tokio::spawn(ending).await.map_err(|_| store::Error::Stale { what: "a session" })??;
    let gone = format!("{SESSION}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    Ok((StatusCode::SEE_OTHER, [(LOCATION, "/login".to_owned()), (SET_COOKIE, gone)]).into_response())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::{cookie, fields, tag};

    #[test]
    fn the_token_of_one_form_serves_no_other_and_no_other_session() {
        let of = |cookie: &str, action: &str| tag(cookie, action).as_ref().to_vec();
        assert_eq!(of("a", "/x"), of("a", "/x"));
        assert_ne!(of("a", "/x"), of("a", "/y"));
        assert_ne!(of("a", "/x"), of("b", "/x"));
    }

    #[test]
    fn cookies_and_fields_are_read_by_their_names() {
        let mut headers = HeaderMap::new();
        headers.append("cookie", "a=1; outflow_session=xyz".parse().unwrap());
        headers.append("cookie", "b=".parse().unwrap());
        assert_eq!(cookie(&headers, "outflow_session"), Some("xyz"));
        assert_eq!(cookie(&headers, "b"), None);
        let fields = fields(b"a=1&b=x%0D%0Ay&a=2&c=");
        assert_eq!((fields["a"].as_str(), fields["b"].as_str(), fields["c"].as_str()), ("1,2", "x\ny", ""));
    }
}
