//! Who is asking, and whether they may.
//!
//! Programs carry a bearer token; people at the console a cookie. Both lead to an
//! operator of the database at every request, so that a token that was taken back
//! is worth nothing from that moment on.

use axum::extract::{FromRequestParts, Request, State as Extract};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use store::audit::Deed;
use store::operators::{self, Operator, Role};

use crate::State;
use crate::refusal::Refusal;

/// Somebody who was let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The actor of everything that they do.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
}

impl From<Operator> for Person {
    fn from(operator: Operator) -> Self {
        Self { name: operator.name, role: operator.role }
    }
}

impl Person {
    /// What this person did to `subject`.
    pub(crate) fn deed(&self, action: &str, subject: impl Into<String>) -> Deed {
        Deed::new((&self.name, self.role.into()), action, subject)
    }

    /// Whether this person may do what `least` may.
    pub(crate) fn may(&self, least: Role) -> bool {
        self.role >= least
    }
}

/// Lets requests through whose bearer token belongs to somebody of the role `least` at least.
pub(crate) async fn guard(
    Extract((state, least)): Extract<(State, Role)>,
    mut request: Request,
    next: Next,
) -> Response {
    match admitted(&state, least, request.headers()).await {
        Ok(person) => {
            request.extensions_mut().insert(person);
            next.run(request).await
        }
        Err(refusal) => refusal,
    }
}

async fn admitted(state: &State, least: Role, headers: &HeaderMap) -> Result<Person, Response> {
    let token = bearer(headers).ok_or_else(|| nobody("a bearer token is needed"))?;
    let found = async {
        let mut connection = state.database.pool().acquire().await?;
        operators::by_token(&mut connection, token).await
    };
    let operator = found.await.map_err(|error: store::Error| Refusal::from(error).into_response())?;
    let person: Person =
        operator.ok_or_else(|| nobody("the bearer token is nobody's, or was taken back"))?.into();
    if person.may(least) {
        return Ok(person);
    }
    Err(too_low(&person, least).into_response())
}

/// That a role is not enough.
pub(crate) fn too_low(person: &Person, least: Role) -> Refusal {
    let detail = format!("this needs the role {least}; {} is {}", person.name, person.role);
    Refusal::new("role_too_low", StatusCode::FORBIDDEN, detail)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.trim())
}

fn nobody(detail: &str) -> Response {
    let refusal = Refusal::new("not_authenticated", StatusCode::UNAUTHORIZED, detail);
    ([(WWW_AUTHENTICATE, "Bearer")], refusal).into_response()
}

impl<S: Sync> FromRequestParts<S> for Person {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Refusal::new("not_authenticated", StatusCode::UNAUTHORIZED, "nobody was let in here")
        })
    }
}
