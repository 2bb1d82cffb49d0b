//! Whether two names are the same name.

use unicode_normalization::UnicodeNormalization;

/// The form in which names are compared. Two names are the same when these are equal.
///
/// NFKC (so full width equals half width), without any space, with one kind of
/// bracket and one kind of middle dot. Nothing fuzzy: letters, their case and
/// their order count.
///
/// Source, R12: "the bank account name must be the same as the holder name of
/// Alipay or WeChat."
#[must_use]
pub fn name_key(name: &str) -> String {
    name.nfkc().filter(|char| !char.is_whitespace()).map(unified).collect()
}

/// The same person or enterprise, as far as the name tells (R12).
#[must_use]
pub fn same_name(one: &str, other: &str) -> bool {
    name_key(one) == name_key(other)
}

/// NFKC has already folded the full-width forms.
const fn unified(char: char) -> char {
    match char {
        '[' | '{' | '〔' | '【' | '〖' | '〈' | '《' | '⟨' => '(',
        ']' | '}' | '〕' | '】' | '〗' | '〉' | '》' | '⟩' => ')',
        // Bullet, hyphenation point, bullet operator, dot operator, Katakana and other middle dots.
        '•' | '‧' | '∙' | '⋅' | '・' | '᛫' | 'ꞏ' | '⸱' | '●' => '·',
        char => char,
    }
}

#[cfg(test)]
mod tests {
    use super::same_name;

    #[test]
    fn r12_names_are_compared_after_normalisation_and_never_fuzzily() {
        for (one, other, expected) in [
            ("张三", "张三", true),
            (" 张三 ", "张三", true),
            ("张 三", "张三", true),
            ("张\u{3000}三", "张三", true), // an ideographic space
            ("ＡＢＣ有限公司", "ABC有限公司", true),
            ("华云（北京）有限公司", "华云(北京)有限公司", true),
            ("华云【北京】有限公司", "华云（北京）有限公司", true),
            ("华云〔北京〕有限公司", "华云[北京]有限公司", true),
            ("买买提·依明", "买买提•依明", true),
            ("买买提・依明", "买买提‧依明", true),
            ("买买提･依明", "买买提·依明", true), // the half-width Katakana dot
            ("Zhang San", "ZhangSan", true),
            ("ﾃｽﾄ", "テスト", true),
            ("张三", "张三丰", false),
            ("张三", "章三", false),
            ("Zhang San", "zhang san", false),
            ("Zhang San", "San Zhang", false),
            ("买买提·依明", "买买提依明", false),
            ("买买提·依明", "买买提.依明", false),
            ("華雲", "华云", false), // another script is another name
            ("", "张三", false),
        ] {
            assert_eq!(same_name(one, other), expected, "{one:?} and {other:?}");
            assert_eq!(same_name(other, one), expected, "{other:?} and {one:?}");
        }
    }
}
