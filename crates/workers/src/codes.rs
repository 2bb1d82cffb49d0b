//! Verification codes: issued to a customer, entered, and turned into the token
//! that a request carries (R10).
//!
//! ```text
//! issue ─▶ code ─▶ (a deliverer) ─▶ customer ─▶ confirm ─▶ token ─▶ request
//! ```
//!
//! A code is six digits, bound to account, amount, route and request, and good
//! for ten minutes, five guesses and one use. Guesses are counted under the lock
//! of the code's row, so that a hundred at once are a hundred. What is kept is an
//! HMAC of it; what leaves is sealed for the deliverer alone.

use aws_lc_rs::{constant_time, rand};
use broker::contract::{Amount, CodeIssued, Identifier, MessageId, Problem};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Currency, Money, Route};
use secrecy::SecretString;
use store::verification_codes::{self, VerificationCode};
use store::{Database, Tx, Vault, accounts, outbox};
use uuid::Uuid;

use crate::events;
use crate::verification::{Binding, Keyring};

/// R10: how long a code can be entered.
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// Wrong guesses after which a code is dead.
const GUESSES: i32 = 5;

/// Issues and confirms codes.
#[derive(Debug, Clone)]
pub struct Codes {
    /// Where they are kept.
    pub database: Database,
    /// Makes the digests that are kept of codes.
    pub vault: Vault,
    /// Signs the tokens.
    pub keyring: Keyring,
    /// The key of the ring that signs them.
    pub key_id: String,
    /// Codes that one account may be issued within an hour.
    pub per_hour: u16,
    /// How a code gets to its customer.
    pub delivery: Delivery,
}

/// How a code gets to its customer.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// The caller shows it: on a machine of one's own.
    Shown,
    /// An event carries it, sealed with the first key of this vault, to a service
    /// that holds the key and sends it on.
    Sealed(Vault),
}

/// For what a code is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// Whose money.
    pub account_id: Identifier,
    /// How much will be asked for.
    pub amount: Money,
    /// In which currency.
    pub currency: Currency,
    /// By which route.
    pub route: Route,
    /// `CloudEvents` id that the request will have.
    pub request_id: MessageId,
}

/// A code on its way to its customer.
#[derive(Debug)]
pub struct Issued {
    /// The number under which it is confirmed.
    pub id: Uuid,
    /// From then on it is of no use.
    pub expires_at: DateTime<Utc>,
    /// The code, where the caller shows it. `Debug` does not.
    pub code: Option<SecretString>,
}

/// Why a code was not issued, or not confirmed. The text form is the stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum CodeRefusal {
    /// No fact has ever named the account.
    UnknownAccount,
    /// R16: the account holds another currency.
    CurrencyMismatch,
    /// R16: nothing, or less, will be asked for.
    AmountNotPositive,
    /// The account was issued as many codes as it may be within an hour.
    TooManyCodes,
    /// There is no code of this number.
    UnknownCode,
    /// It is too old, or a newer one took its place.
    Expired,
    /// It is another code. Nothing says in which digit.
    Wrong,
    /// It was guessed at too often; even the right code is refused now.
    AttemptsExhausted,
    /// It was confirmed before.
    AlreadyUsed,
}

/// Why there is no answer, or no good one.
#[derive(Debug, thiserror::Error)]
pub enum CodeError {
    /// A rule says no. Whatever had to be counted was counted.
    #[error("{0}")]
    Refused(CodeRefusal),
    /// The ring has no key of the name that signs tokens.
    #[error("there is no key {0:?} to sign tokens with")]
    NoKey(String),
    /// The database is away or refuses.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl std::fmt::Display for CodeRefusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.words().1)
    }
}

impl CodeRefusal {
    /// The HTTP status that fits, and what to tell a person.
    const fn words(self) -> (u16, &'static str) {
        match self {
            Self::UnknownAccount => (404, "no such account is known"),
            Self::CurrencyMismatch => (422, "the account's money is in another currency"),
            Self::AmountNotPositive => (422, "the amount must be more than zero"),
            Self::TooManyCodes => (429, "too many codes were issued for this account within an hour"),
            Self::UnknownCode => (404, "there is no verification code of this number"),
            Self::Expired => (410, "the code has expired, or a newer one took its place; ask for another"),
            Self::Wrong => (422, "the code is wrong"),
            Self::AttemptsExhausted => (429, "the code was guessed at too often; ask for another"),
            Self::AlreadyUsed => (409, "the code was used already; ask for another"),
        }
    }

    /// The refusal as a sender reads it.
    #[must_use]
    pub fn problem(self) -> Problem {
        let (status, detail) = self.words();
        Problem::with_status(self.into(), status, detail).by_rule("R10")
    }
}

impl Codes {
    /// Issues a code. An older one for the same request ends with it.
    ///
    /// # Errors
    /// [`CodeError::Refused`] when the account, the amount or the hour's limit
    /// says no; [`CodeError::NoKey`] when no token could follow.
    pub async fn issue(&self, purpose: &Purpose, at: DateTime<Utc>) -> Result<Issued, CodeError> {
        if !self.keyring.holds(&self.key_id) {
            return Err(CodeError::NoKey(self.key_id.clone()));
        }
        let mut tx = self.database.begin().await?;
        self.admit(&mut tx, purpose, at).await?;
        let (id, digits) = (Uuid::now_v7(), six_digits());
        let code = VerificationCode {
            id,
            account_id: purpose.account_id.to_string(),
            amount: purpose.amount,
            currency: purpose.currency,
            route: purpose.route,
            request_id: purpose.request_id.to_string(),
            code_digest: self.digest(id, &digits),
            issued_at: at,
            expires_at: at + LIFETIME,
            guesses: 0,
            confirmed_at: None,
        };
        verification_codes::put(&mut tx, &code).await?;
        if let Delivery::Sealed(vault) = &self.delivery {
            let sealed = vault.seal(&format!("verification_code:{id}"), digits.as_bytes());
            let event = code_event(purpose, &code, &sealed);
            outbox::put(&mut tx, &[event], at).await?;
        }
        tx.commit().await.map_err(store::Error::from)?;
        let shown = matches!(self.delivery, Delivery::Shown).then(|| digits.into());
        Ok(Issued { id, expires_at: code.expires_at, code: shown })
    }

    /// Whether this account may be issued a code for this. Its lock is held from
    /// here on, so that the hour's count stands.
    async fn admit(&self, tx: &mut Tx, purpose: &Purpose, at: DateTime<Utc>) -> Result<(), CodeError> {
        let id = purpose.account_id.to_string();
        let locked = accounts::lock(tx, std::slice::from_ref(&id)).await?;
        let account = locked.first().ok_or(CodeError::Refused(CodeRefusal::UnknownAccount))?;
        if account.currency != purpose.currency {
            return Err(CodeError::Refused(CodeRefusal::CurrencyMismatch));
        }
        if !purpose.amount.is_positive() {
            return Err(CodeError::Refused(CodeRefusal::AmountNotPositive));
        }
        let issued = verification_codes::issued_since(tx, &id, at - TimeDelta::hours(1)).await?;
        if issued >= i64::from(self.per_hour) {
            return Err(CodeError::Refused(CodeRefusal::TooManyCodes));
        }
        Ok(())
    }

    /// Checks what a customer entered, and answers with the token that proves it.
    ///
    /// # Errors
    /// [`CodeError::Refused`] with the reason; a wrong guess was counted then.
    pub async fn confirm(&self, id: Uuid, entered: &str, at: DateTime<Utc>) -> Result<String, CodeError> {
        let mut tx = self.database.begin().await?;
        let code = verification_codes::lock(&mut tx, id).await?;
        let mut code = code.ok_or(CodeError::Refused(CodeRefusal::UnknownCode))?;
        let judged = self.judge(&code, entered, at);
        let token = match judged {
            Ok(()) => {
                code.confirmed_at = Some(at);
                Some(self.token(&code, at)?)
            }
            Err(CodeRefusal::Wrong) => {
                code.guesses += 1;
                None
            }
            Err(refusal) => return Err(CodeError::Refused(refusal)),
        };
        verification_codes::tried(&mut tx, &code).await?;
        // A wrong guess counts only once it is committed, and only then is it answered.
        tx.commit().await.map_err(store::Error::from)?;
        token.ok_or(CodeError::Refused(CodeRefusal::Wrong))
    }

    fn judge(&self, code: &VerificationCode, entered: &str, at: DateTime<Utc>) -> Result<(), CodeRefusal> {
        if code.confirmed_at.is_some() {
            return Err(CodeRefusal::AlreadyUsed);
        }
        if at >= code.expires_at {
            return Err(CodeRefusal::Expired);
        }
        if code.guesses >= GUESSES {
            return Err(CodeRefusal::AttemptsExhausted);
        }
        let digest = self.digest(code.id, entered.trim());
        constant_time::verify_slices_are_equal(&digest, &code.code_digest).map_err(|_| CodeRefusal::Wrong)
    }

    fn token(&self, code: &VerificationCode, at: DateTime<Utc>) -> Result<String, CodeError> {
        let binding = Binding {
            account_id: &code.account_id,
            amount: code.amount,
            currency: code.currency,
            route: code.route,
            request_id: &code.request_id,
        };
        let token = self.keyring.mint(&self.key_id, &binding, at);
        token.ok_or_else(|| CodeError::NoKey(self.key_id.clone()))
    }

    /// What is kept of a code: nobody without the key can try all million of them.
    fn digest(&self, id: Uuid, digits: &str) -> Vec<u8> {
        self.vault.digest(&format!("outflow verification code\n{id}\n{digits}")).to_vec()
    }
}

/// The event that carries a code to whoever delivers it.
fn code_event(purpose: &Purpose, code: &VerificationCode, sealed: &[u8]) -> outbox::Outgoing {
    let issued = CodeIssued {
        code_id: code.id,
        account_id: purpose.account_id.clone(),
        request_id: purpose.request_id.clone(),
        amount: Amount::new(purpose.amount, purpose.currency),
        currency: purpose.currency,
        route: purpose.route,
        sealed_code: hex::encode(sealed).parse().expect("some bytes in hexadecimal digits"),
        expires_at: code.expires_at,
    };
    let envelope = issued.into_message(code.issued_at);
    events::event(code.id.to_string(), CodeIssued::ROUTING_KEY.to_owned(), None, envelope)
}

/// Six digits, each code as likely as any other.
fn six_digits() -> String {
    /// The greatest multiple of a million below 2³²: what lies above would make
    /// the low codes likelier.
    const FAIR_BELOW: u32 = 4_294_000_000;
    loop {
        let mut bytes = [0; 4];
        rand::fill(&mut bytes).expect("the system has randomness");
        let number = u32::from_le_bytes(bytes);
        if number < FAIR_BELOW {
            return format!("{:06}", number % 1_000_000);
        }
    }
}
