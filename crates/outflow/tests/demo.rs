//! `outflow demo` itself: what it promises is checked by its exit status, and
//! here that it says so.

use std::time::Duration;

use assert_cmd::Command;

#[test]
fn the_demo_ends_well_and_proves_it() {
    let output = Command::cargo_bin("outflow")
        .unwrap()
        .args(["demo", "--no-install", "--seed", "11"])
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG")
        .timeout(Duration::from_secs(170))
        .output()
        .unwrap();
    let (told, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{said}");
    for words in [
        "150.00 of A3 + 200.00 of A2 + 50.00 of A1's 300.00",
        "does not count: requester cannot approve",
        "no reply: the outcome is UNKNOWN",
        "it had paid, once",
        "names the card ****8888: a new number, a new approval",
        "same number, other amount",
        "dead letter from outflow.requests: /data/amount",
        "[10-01…10-07 off] 10-08 (5) 10-09 (6) 10-10 (7 make-up)",
        "19 invariants and every story hold",
        "15 withdrawals asked for 29275.40; 8 paid 18595.40 in 12 payments",
        "paid twice: 0, ledger difference: 0.00",
    ] {
        assert!(told.contains(words), "{words:?} is missing:\n{told}\n{said}");
    }
    // Account numbers appear nowhere.
    for number in ["6225880212345678", "6225880211118888", "33050161702700000042"] {
        assert!(!told.contains(number) && !said.contains(number));
    }
}
