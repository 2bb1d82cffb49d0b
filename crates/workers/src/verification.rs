//! The proof that a verification code was entered (R10): a signed token.
//!
//! ```text
//! v1.<key id>.<issued at, seconds since 1970>.<HMAC-SHA256, 64 hexadecimal digits>
//! ```
//!
//! The signature covers account, amount, route, request and time, so a token
//! serves one request and no other. Whoever holds a key of the ring, here or
//! upstream, can mint one with [`Keyring::mint`].

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Currency, Money, Proof, ProofFault, Route};
use secrecy::{ExposeSecret, SecretSlice};

/// R10: "at most 10 minutes old".
const LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// How far the verifier's clock may run ahead of the requester's.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// What a token is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Whose money.
    pub account_id: &'a str,
    /// How much.
    pub amount: Money,
    /// In which currency.
    pub currency: Currency,
    /// By which route.
    pub route: Route,
    /// `CloudEvents` id of the request.
    pub request_id: &'a str,
}

impl Binding<'_> {
    /// The text that is signed: one field a line, so that none runs into the next.
    fn text(&self, key_id: &str, issued_at: i64) -> String {
        format!(
            "outflow verification v1\n{key_id}\n{issued_at}\n{}\n{} {}\n{}\n{}",
            self.account_id,
            self.amount.to_text(self.currency),
            self.currency,
            self.route,
            self.request_id,
        )
    }
}

/// The keys whose tokens are accepted, by their ids. `Debug` shows no key.
#[derive(Clone, Default)]
pub struct Keyring {
    keys: Arc<HashMap<String, hmac::Key>>,
}

impl Keyring {
    /// A ring of keys: an id without a dot, and at least 16 secret bytes.
    ///
    /// Keys that are shorter, or whose id has a dot, are left out.
    #[must_use]
    pub fn new(keys: &[(String, SecretSlice<u8>)]) -> Self {
        let usable = keys.iter().filter(|(id, key)| !id.contains('.') && key.expose_secret().len() >= 16);
        let keys =
            usable.map(|(id, key)| (id.clone(), hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret())));
        Self { keys: Arc::new(keys.collect()) }
    }

    /// Whether the ring has this key.
    #[must_use]
    pub fn holds(&self, key_id: &str) -> bool {
        self.keys.contains_key(key_id)
    }

    /// A token for one request; nothing when the ring has no such key.
    #[must_use]
    pub fn mint(&self, key_id: &str, binding: &Binding<'_>, issued_at: DateTime<Utc>) -> Option<String> {
        let seconds = issued_at.timestamp();
        let tag = hmac::sign(self.keys.get(key_id)?, binding.text(key_id, seconds).as_bytes());
        Some(format!("v1.{key_id}.{seconds}.{}", hex::encode(tag)))
    }

    /// Checks a token against the request that carries it.
    ///
    /// # Errors
    /// The first fault. A forged token and one of another request look the same.
    pub fn check(
        &self,
        token: Option<&str>,
        binding: &Binding<'_>,
        requested_at: DateTime<Utc>,
    ) -> Result<(), ProofFault> {
        let parts: Vec<&str> = token.ok_or(ProofFault::Missing)?.split('.').collect();
        let ["v1", key_id, seconds, tag] = parts[..] else { return Err(ProofFault::Unreadable) };
        let seconds: i64 = seconds.parse().map_err(|_| ProofFault::Unreadable)?;
        let issued_at = DateTime::from_timestamp(seconds, 0).ok_or(ProofFault::Unreadable)?;
        let tag = hex::decode(tag).map_err(|_| ProofFault::Unreadable)?;
        let key = self.keys.get(key_id).ok_or(ProofFault::UnknownKey)?;
        hmac::verify(key, binding.text(key_id, seconds).as_bytes(), &tag)
            .map_err(|_| ProofFault::Mismatch)?;
        let age = requested_at - issued_at;
        if age > LIFETIME || age < -CLOCK_SKEW { Err(ProofFault::Expired) } else { Ok(()) }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ids: Vec<_> = self.keys.keys().collect();
        ids.sort();
        f.debug_tuple("Keyring").field(&ids).finish()
    }
}

/// Whether requests must carry a proof.
#[derive(Debug, Clone)]
pub enum Proofs {
    /// Yes, signed by a key of this ring.
    Required(Keyring),
    /// No: the upstream has verified its customers itself.
    Off,
}

impl Proofs {
    /// What the token of a request proves.
    #[must_use]
    pub fn judge(&self, token: Option<&str>, binding: &Binding<'_>, requested_at: DateTime<Utc>) -> Proof {
        match self {
            Self::Off => Proof::Accepted,
            Self::Required(ring) => {
                ring.check(token, binding, requested_at).map_or_else(Proof::Faulty, |()| Proof::Accepted)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use domain::{Currency, Money, ProofFault, Route};

    use super::{Binding, Keyring};

    fn ring(id: &str, byte: u8) -> Keyring {
        Keyring::new(&[(id.to_owned(), vec![byte; 32].into())])
    }

    const BINDING: Binding<'static> = Binding {
        account_id: "acct-1",
        amount: Money::from_minor(10_000),
        currency: Currency::Cny,
        route: Route::Source,
        request_id: "req-1",
    };

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    #[test]
    fn r10_a_token_serves_the_request_it_was_issued_for_and_no_other() {
        let ring = ring("up", 1);
        let token = ring.mint("up", &BINDING, now()).unwrap();
        let check = |binding: Binding<'_>| ring.check(Some(&token), &binding, now());
        assert_eq!(check(BINDING), Ok(()));
        for other in [
            Binding { account_id: "acct-2", ..BINDING },
            Binding { amount: Money::from_minor(10_001), ..BINDING },
            Binding { currency: Currency::Usd, ..BINDING },
            Binding { route: Route::BankCard, ..BINDING },
            Binding { request_id: "req-2", ..BINDING },
        ] {
            assert_eq!(check(other), Err(ProofFault::Mismatch), "{other:?}");
        }
    }

    #[test]
    fn r10_a_token_is_at_most_ten_minutes_old_when_the_request_is_made() {
        let ring = ring("up", 1);
        let token = ring.mint("up", &BINDING, now()).unwrap();
        for (age_ms, expected) in [
            (0, Ok(())),
            (600_000, Ok(())),
            (600_001, Err(ProofFault::Expired)),
            (-60_000, Ok(())),
            (-60_001, Err(ProofFault::Expired)),
        ] {
            let requested_at = now() + TimeDelta::milliseconds(age_ms);
            assert_eq!(ring.check(Some(&token), &BINDING, requested_at), expected, "{age_ms} ms");
        }
    }

    #[test]
    fn r10_missing_garbled_foreign_and_forged_tokens_are_told_apart() {
        let ring = ring("up", 1);
        let good = ring.mint("up", &BINDING, now()).unwrap();
        let foreign = super::tests::ring("other", 1).mint("other", &BINDING, now()).unwrap();
        let forged = super::tests::ring("up", 2).mint("up", &BINDING, now()).unwrap();
        let later = good.replace(&now().timestamp().to_string(), &(now().timestamp() + 1).to_string());
        for (token, expected) in [
            (None, ProofFault::Missing),
            (Some(""), ProofFault::Unreadable),
            (Some("v2.up.1.00"), ProofFault::Unreadable),
            (Some("v1.up.soon.00"), ProofFault::Unreadable),
            (Some("v1.up.1790000000.xyz"), ProofFault::Unreadable),
            (Some("v1.up.1790000000."), ProofFault::Mismatch),
            (Some(foreign.as_str()), ProofFault::UnknownKey),
            (Some(forged.as_str()), ProofFault::Mismatch),
            (Some(later.as_str()), ProofFault::Mismatch),
            (Some(&good[..good.len() - 2]), ProofFault::Mismatch),
        ] {
            assert_eq!(ring.check(token, &BINDING, now()), Err(expected), "{token:?}");
        }
    }

    #[test]
    fn keys_are_never_shown_and_short_ones_never_used() {
        let ring =
            Keyring::new(&[("short".to_owned(), vec![1; 15].into()), ("a.b".to_owned(), vec![1; 32].into())]);
        assert_eq!(ring.mint("short", &BINDING, now()), None);
        assert_eq!(ring.mint("a.b", &BINDING, now()), None);
        assert_eq!(format!("{:?}", super::tests::ring("up", 7)), "Keyring([\"up\"])");
    }
}
