//! The command line as somebody at a keyboard meets it: colours, and a screen that lives.

#[path = "terminal/pty.rs"]
mod pty;

use std::process::Command;

use devstack::{Options, Stack};
use pty::Terminal;

#[test]
fn colour_is_for_terminals_without_no_color() {
    let help = |variables: &[(String, String)]| {
        let (code, screen) = Terminal::open(&["--help"], variables).ends();
        assert_eq!(code, Some(0), "{screen}");
        assert!(screen.contains("Exit status: 0 done"), "{screen}");
        screen.contains('\u{1b}')
    };
    assert!(help(&[]), "a terminal is coloured");
    assert!(!help(&[("NO_COLOR".to_owned(), "1".to_owned())]), "NO_COLOR is respected");
    let piped = Command::new(env!("CARGO_BIN_EXE_outflow")).arg("--help").output().expect("the binary runs");
    assert!(!piped.stdout.contains(&0x1b), "a pipe is never coloured");
}

/// Queues, then a switch that somebody else throws, then the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_screen_lives_until_q() {
    let stack = Stack::start(Options::default()).await.expect("servers");
    let variables = [
        ("OUTFLOW_DATABASE_URL", stack.fresh_database("top").await.expect("servers")),
        ("OUTFLOW_AMQP_URL", stack.fresh_vhost().await.expect("servers")),
        ("OUTFLOW_PROFILE", "dev".to_owned()),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value));
    let run = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_outflow"));
        let output =
            command.args(line.split(' ')).envs(variables.iter().cloned()).output().expect("the binary runs");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run("migrate");
    run("topology apply");

    let mut terminal = Terminal::open(&["top"], &variables);
    terminal.shows("payout.unionpay");
    run("channel pause bank --reason trial --by li.wei");
    terminal.shows("STOPPED bank: trial");
    terminal.press("q");
    let (code, screen) = terminal.ends();
    assert_eq!(code, Some(0), "{screen}");
    // The screen is left as it was found: its own is gone, and the cursor is back.
    let after = screen.rsplit("\u{1b}[?1049l").next().expect("a split has a part");
    assert!(screen.contains("\u{1b}[?1049h") && screen.contains("\u{1b}[?25h"), "{screen:?}");
    assert_eq!(after, "next: outflow status · outflow list\r\n", "{screen:?}");
    stack.stop().await.expect("servers");
}
