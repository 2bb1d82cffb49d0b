//! The binary in a terminal of its own: what only a person at a keyboard sees.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long a screen may take to show something.
const PATIENCE: Duration = Duration::from_mins(1);

/// A process whose three streams are one terminal, made by `script` of util-linux.
pub(crate) struct Terminal {
    process: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Runs the binary with arguments that hold no blanks.
    pub(crate) fn open(arguments: &[&str], environment: &[(String, String)]) -> Self {
        let line =
            format!("stty rows 50 cols 120; exec {} {}", env!("CARGO_BIN_EXE_outflow"), arguments.join(" "));
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        command.env_remove("RUST_LOG").env_remove("NO_COLOR").env("TERM", "xterm-256color");
        command.envs(environment.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("script of util-linux runs");
        let keyboard = process.stdin.take().expect("stdin is piped");
        let mut output = process.stdout.take().expect("stdout is piped");
        let (tell, screen) = channel();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut part) {
                if tell.send(part[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { process, keyboard, screen, seen: String::new() }
    }

    /// Waits until the screen was sent these words.
    pub(crate) fn shows(&mut self, words: &str) {
        let end = Instant::now() + PATIENCE;
        while !self.seen.contains(words) {
            let left = end.saturating_duration_since(Instant::now());
            let part = self.screen.recv_timeout(left);
            let part = part.unwrap_or_else(|_| panic!("{words:?} does not come in:\n{}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&part));
        }
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .and_then(|()| self.keyboard.flush())
            .expect("it has a keyboard");
    }

    /// Waits for the end: the exit status, and everything that the screen was sent.
    pub(crate) fn ends(mut self) -> (Option<i32>, String) {
        let end = Instant::now() + PATIENCE;
        while let Ok(part) = self.screen.recv_timeout(end.saturating_duration_since(Instant::now())) {
            self.seen.push_str(&String::from_utf8_lossy(&part));
        }
        assert!(Instant::now() < end, "it does not end:\n{}", self.seen);
        (self.process.wait().expect("it is a child of ours").code(), std::mem::take(&mut self.seen))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
