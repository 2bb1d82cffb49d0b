//! What happens at a failpoint, as the environment has it.

use std::collections::HashSet;
use std::fs::{File, read_to_string};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use std::{env, process, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long `sleep` lasts: longer than any pause of a healthy process.
const SLEEP: Duration = Duration::from_secs(2);

/// The exit status of a process whose environment cannot be read: usage.
const USAGE: i32 = 2;

/// What happens at a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Kill,
    Stop,
    Sleep,
}

/// Something that happens once, the `nth` time that a step is reached.
#[derive(Debug)]
struct Order {
    name: String,
    nth: u64,
    act: Act,
    reached: AtomicU64,
}

/// Everything that the environment asks for.
#[derive(Debug, Default)]
struct Plan {
    orders: Vec<Order>,
    bugs: Vec<String>,
    hits: Option<PathBuf>,
    clock: Option<PathBuf>,
    seen: Mutex<HashSet<&'static str>>,
}

/// Reads `name=nth:act`, several of them apart by commas.
fn orders(text: &str) -> Result<Vec<Order>, String> {
    let order = |part: &str| {
        let wrong = || format!("FP: {part:?} is not name=nth:kill|stop|sleep");
        let (name, rest) = part.split_once('=').ok_or_else(wrong)?;
        let (nth, act) = rest.split_once(':').ok_or_else(wrong)?;
        let act = match act {
            "kill" => Act::Kill,
            "stop" => Act::Stop,
            "sleep" => Act::Sleep,
            _ => return Err(wrong()),
        };
        let nth = nth.parse().ok().filter(|it| *it > 0).ok_or_else(wrong)?;
        Ok(Order { name: name.trim().to_owned(), nth, act, reached: AtomicU64::new(0) })
    };
    text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(order).collect()
}

fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(|| {
        let text = |name| env::var(name).unwrap_or_default();
        let path = |name| env::var_os(name).map(PathBuf::from);
        let orders = orders(&text("FP")).unwrap_or_else(|complaint| {
            eprintln!("{complaint}");
            process::exit(USAGE)
        });
        let bugs = text("PLANTED").split(',').map(str::to_owned).collect();
        Plan { orders, bugs, hits: path("FP_HITS"), clock: path("FP_CLOCK"), seen: Mutex::default() }
    })
}

/// A worker got to a step.
pub(crate) fn reach(name: &'static str) {
    let plan = plan();
    note(plan, name);
    for order in plan.orders.iter().filter(|it| it.name == name) {
        if order.reached.fetch_add(1, SeqCst) + 1 == order.nth {
            act(order.act);
        }
    }
}

/// Adds the step to the list of those that were reached, the first time.
fn note(plan: &Plan, name: &'static str) {
    let Some(path) = &plan.hits else { return };
    let mut seen = plan.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if seen.insert(name) {
        let file = File::options().append(true).create(true).open(path);
        // One write: several processes share the file.
        let written = file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes()));
        if let Err(error) = written {
            eprintln!("FP_HITS: {}: {error}", path.display());
        }
    }
}

fn act(act: Act) {
    let signal = match act {
        Act::Sleep => return thread::sleep(SLEEP),
        Act::Kill => Signal::SIGKILL,
        Act::Stop => Signal::SIGSTOP,
    };
    if let Err(error) = kill(Pid::this(), signal) {
        eprintln!("FP: this process cannot signal itself: {error}");
        process::abort();
    }
}

/// Whether the environment names this bug.
pub(crate) fn is_planted(name: &str) -> bool {
    plan().bugs.iter().any(|it| it == name)
}

/// By how much the clock of this process is wrong, in milliseconds. A file that
/// is being written counts as right: the next look is a moment away.
pub(crate) fn clock_error_ms() -> i64 {
    let text = plan().clock.as_ref().and_then(|path| read_to_string(path).ok());
    text.and_then(|it| it.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Act, orders};

    #[test]
    fn an_order_names_a_step_a_time_and_an_act() {
        let read = orders("a.b=1:kill, c.d=20:sleep,").expect("two orders");
        let read: Vec<_> = read.iter().map(|it| (it.name.as_str(), it.nth, it.act)).collect();
        assert_eq!(read, [("a.b", 1, Act::Kill), ("c.d", 20, Act::Sleep)]);
        for wrong in ["a.b", "a.b=kill", "a.b=0:kill", "a.b=x:kill", "a.b=1:die"] {
            assert!(orders(wrong).is_err_and(|it| it.contains(wrong)), "{wrong}");
        }
    }
}
