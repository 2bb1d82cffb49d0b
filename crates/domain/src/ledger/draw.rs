//! Taking an amount out of slices, in the order in which they are offered.

use crate::Money;

/// Takes `amount` from the front of `slices`, emptying each before the next.
///
/// The caller's order is the rule: oldest first for usage (R9b), newest first
/// for allocations to members (R5).
///
/// `Err` is what the slices hold together, which is less than `amount`.
pub(super) fn draw<K>(
    slices: impl IntoIterator<Item = (K, Money)>,
    amount: Money,
) -> Result<Vec<(K, Money)>, Money> {
    let mut missing = amount;
    let mut taken = Vec::new();
    for (key, remaining) in slices {
        if !missing.is_positive() {
            break;
        }
        let part = missing.min(remaining);
        if part.is_positive() {
            missing = missing.less(part).expect("a minimum of both is not more than one");
            taken.push((key, part));
        }
    }
    if missing.is_positive() {
        Err(amount.less(missing).expect("what is missing is a part of the amount"))
    } else {
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::Money;

    #[test]
    fn slices_are_emptied_one_after_the_other() {
        for (slices, amount, expected) in [
            (vec![100, 50, 20], 30, Ok(vec![(0, 30)])),
            (vec![100, 50, 20], 100, Ok(vec![(0, 100)])),
            (vec![100, 50, 20], 101, Ok(vec![(0, 100), (1, 1)])),
            (vec![100, 0, 20], 110, Ok(vec![(0, 100), (2, 10)])),
            (vec![100, 50, 20], 170, Ok(vec![(0, 100), (1, 50), (2, 20)])),
            (vec![100, 50, 20], 171, Err(170)),
            (vec![], 1, Err(0)),
        ] {
            let offered = slices.iter().map(|it| Money::from_minor(*it)).enumerate();
            let actual = draw(offered, Money::from_minor(amount))
                .map(|parts| parts.into_iter().map(|(key, part)| (key, part.minor())).collect::<Vec<_>>())
                .map_err(Money::minor);
            assert_eq!(actual, expected, "{amount} from {slices:?}");
        }
    }
}
