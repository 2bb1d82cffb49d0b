//! What every code of this crate means: what happened, by which rule, what to do.
//!
//! A code travels in events, in HTTP answers, in dead letters and in rows, where
//! its reader has no source at hand. Each table is checked against the type that
//! its codes come from, so that no code is without its text.

mod approval;
mod facts;
mod requests;

/// What a code is about, which says whether money is at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum About {
    /// A request that a rule refuses.
    Request,
    /// A top-up that cannot leave by a route.
    TopUp,
    /// A withdrawal that was accepted and waits.
    Hold,
    /// A leg that cannot go back to its source any more.
    Leg,
    /// A fact about an account.
    Fact,
    /// The form of a message.
    Message,
    /// What people decide about a withdrawal, and details that they give.
    Decision,
    /// Why a withdrawal needs people.
    Approval,
    /// A verification code.
    Code,
    /// An answer over HTTP that is no success.
    Answer,
    /// What a gateway tells by itself, where it is not taken.
    Notice,
    /// An account whose facts stopped it.
    Account,
    /// A bank run that waits for people.
    BankRun,
    /// A call to a gateway without a certain answer; a code of ours, not of the channel.
    Call,
    /// A channel's statement that does not agree with the books.
    Difference,
}

impl About {
    /// What it is about, as a heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Request => "a withdrawal request that is refused",
            Self::TopUp => "a top-up that cannot leave by a route",
            Self::Hold => "a withdrawal that is on hold",
            Self::Leg => "a leg that cannot go back to its source any more",
            Self::Fact => "an account fact that is refused",
            Self::Message => "a message that cannot be read",
            Self::Decision => "a decision, or bank details, without effect",
            Self::Approval => "a withdrawal that needs people",
            Self::Code => "a verification code that is not issued or not confirmed",
            Self::Answer => "an answer over HTTP that is no success",
            Self::Notice => "a notice of a gateway that is not taken",
            Self::Account => "an account that pays nothing out",
            Self::BankRun => "a bank run that waits for people",
            Self::Call => "a call to a gateway that has no certain answer",
            Self::Difference => "a statement that does not agree with the books",
        }
    }

    /// Whether money is at risk.
    #[must_use]
    pub const fn money(self) -> &'static str {
        match self {
            Self::Request => "No. Nothing was held; the request is a row and an event with every reason.",
            Self::TopUp => "No. The top-up stays as it is; other top-ups may be taken.",
            Self::Hold => {
                "No. What was held stays held, and what was sent is still followed; nothing more leaves."
            }
            Self::Leg => "No. The leg was not sent; its money is still held or back in its top-up.",
            Self::Fact => {
                "Not directly. Nothing of the fact was applied, and withdrawals of the account may wait for it."
            }
            Self::Message => {
                "No. The message changed nothing; it is kept whole for people and is one dead letter."
            }
            Self::Decision => "No. It changed nothing; the withdrawal is as it was before.",
            Self::Approval => "No. Its money is held, and nothing leaves before enough people have agreed.",
            Self::Code => "No. No token was given out, so that no request can use it.",
            Self::Answer => {
                "No. A request under the same Idempotency-Key may be sent again and is still done once."
            }
            Self::Notice => {
                "No. A notice is a hint: the gateway is asked all the same, and its answer counts."
            }
            Self::Account => "No. Nothing of the account leaves while it is not known what the account has.",
            Self::BankRun => "No. Nothing of the run was sent, and its money stays held.",
            Self::Call => {
                "That depends on the leg's state. Nothing goes again before it is certain that nothing left: `unknown` is asked about until then."
            }
            Self::Difference => {
                "Perhaps. The books or the channel are wrong about this payment, and the day stays open until somebody knows which."
            }
        }
    }
}

/// One meaning of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// The stable code.
    pub code: &'static str,
    /// What it is about.
    pub about: About,
    /// The rule behind it; nothing where it is a matter of form.
    pub rule: Option<&'static str>,
    /// What happened.
    pub happened: &'static str,
    /// What to do, and who.
    pub mend: &'static str,
}

/// A row of a table: code, rule, what happened, what to do. The rule is empty
/// where the code is a matter of form.
pub type Row = (&'static str, &'static str, &'static str, &'static str);

impl Explanation {
    /// The explanation that a row of a table is.
    #[must_use]
    pub const fn of(about: About, (code, rule, happened, mend): Row) -> Self {
        let rule = if rule.is_empty() { None } else { Some(rule) };
        Self { code, about, rule, happened, mend }
    }
}

/// Every meaning of every code of this crate. A code can have several: an account
/// that is stopped refuses requests and holds back withdrawals.
pub fn explanations() -> impl Iterator<Item = Explanation> {
    let tables: [(About, &[Row]); 6] = [
        (About::Request, requests::REFUSALS),
        (About::TopUp, requests::EXCLUSIONS),
        (About::Hold, requests::OBSTACLES),
        (About::Leg, requests::CLOSED),
        (About::Fact, facts::REFUSALS),
        (About::Approval, approval::RULES),
    ];
    tables.into_iter().flat_map(|(about, rows)| rows.iter().map(move |row| Explanation::of(about, *row)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use strum::{IntoEnumIterator, VariantNames};

    use super::{About, explanations};
    use crate::{ApprovalRule, Exclusion, Obstacle, Reason, RouteClosed, ledger};

    fn of(about: About) -> BTreeMap<&'static str, super::Explanation> {
        explanations().filter(|it| it.about == about).map(|it| (it.code, it)).collect()
    }

    fn codes(about: About) -> Vec<&'static str> {
        of(about).into_keys().collect()
    }

    fn sorted(names: &[&'static str]) -> Vec<&'static str> {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_code_has_its_text_and_every_text_its_code() {
        assert_eq!(codes(About::Request), sorted(Reason::VARIANTS));
        assert_eq!(codes(About::TopUp), sorted(Exclusion::VARIANTS));
        assert_eq!(codes(About::Hold), sorted(Obstacle::VARIANTS));
        assert_eq!(codes(About::Leg), sorted(RouteClosed::VARIANTS));
        assert_eq!(codes(About::Fact), sorted(ledger::Refusal::VARIANTS));
        let rules: Vec<&str> = ApprovalRule::iter().map(Into::into).collect();
        assert_eq!(codes(About::Approval), sorted(&rules));
        let all: usize = About::iter().map(|about| of(about).len()).sum();
        assert_eq!(all, explanations().count(), "a code stands twice in a table");
    }

    #[test]
    fn the_rule_of_a_text_is_the_rule_of_its_code() {
        let requests = of(About::Request);
        for reason in Reason::iter().filter(|it| !matches!(it, Reason::TransactionIneligible { .. })) {
            assert_eq!(requests[reason.code()].rule, Some(reason.rule()), "{}", reason.code());
        }
        let top_ups = of(About::TopUp);
        for exclusion in Exclusion::iter() {
            assert_eq!(top_ups[exclusion.code()].rule, Some(exclusion.rule()), "{}", exclusion.code());
        }
    }

    #[test]
    fn a_text_says_what_happened_and_what_to_do_in_whole_sentences() {
        for it in explanations() {
            for text in [it.happened, it.mend, it.about.money()] {
                let whole = text.ends_with('.') && text.starts_with(|it: char| it.is_uppercase());
                assert!(whole && text.len() > 25, "{}: {text}", it.code);
            }
        }
    }
}
