//! S08, S09: TLS to servers that really speak it: the right authority is believed, a
//! wrong one and plain text are refused, and the error says so.

#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use devstack::{Environment, Options, Stack};
use nix::unistd::{Uid, User, chown};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// Certificates in a folder that the servers' users can read.
struct Papers(tempfile::TempDir);

impl Papers {
    /// Two authorities, and a server's certificate that the first one signed.
    fn issue() -> Self {
        let papers = Self(tempfile::tempdir().unwrap());
        fs::set_permissions(papers.0.path(), Permissions::from_mode(0o755)).unwrap();
        let authority = authority("the right one");
        papers.put("right.pem", &authority.pem());
        papers.put("wrong.pem", &self::authority("another one").pem());
        let key = KeyPair::generate().unwrap();
        let server = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        papers.put("server.pem", &server.signed_by(&key, &authority).unwrap().pem());
        for name in ["rabbitmq.key", "postgres.key"] {
            papers.put(name, &key.serialize_pem());
            fs::set_permissions(papers.path(name), Permissions::from_mode(0o600)).unwrap();
        }
        // PostgreSQL takes a key of its own user's alone, and does not run as root.
        if Uid::effective().is_root() {
            let user = User::from_name("postgres").unwrap().expect("PostgreSQL's user");
            chown(&papers.path("postgres.key"), Some(user.uid), Some(user.gid)).unwrap();
        }
        // In plain text only the database in which nothing is: whether the server answers is asked there.
        let doors =
            "local all all trust\nhost postgres all 127.0.0.1/32 trust\nhostssl all all 127.0.0.1/32 trust\n";
        papers.put("hba.conf", doors);
        papers
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Servers that speak TLS, and the port at which RabbitMQ speaks nothing else.
async fn servers(papers: &Papers) -> (Stack, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let setting = |name: &str, value: String| (name.to_owned(), value);
    let options = Options {
        environment: Environment::Ignored,
        postgres_settings: vec![
            setting("ssl", "on".to_owned()),
            setting("ssl_cert_file", papers.text("server.pem")),
            setting("ssl_key_file", papers.text("postgres.key")),
            setting("hba_file", papers.text("hba.conf")),
        ],
        rabbitmq_settings: vec![
            setting("listeners.ssl.default", format!("127.0.0.1:{port}")),
            setting("ssl_options.cacertfile", papers.text("right.pem")),
            setting("ssl_options.certfile", papers.text("server.pem")),
            setting("ssl_options.keyfile", papers.text("rabbitmq.key")),
        ],
        ..Options::default()
    };
    (Stack::start(options).await.unwrap(), port)
}

/// Exit status, and what is said on stderr.
fn outflow(arguments: &[&str], variable: &str, url: &str) -> (Option<i32>, String) {
    let mut command = Command::cargo_bin("outflow").unwrap();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OUTFLOW_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    let output =
        command.current_dir(env!("CARGO_TARGET_TMPDIR")).args(arguments).env(variable, url).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn s08_s09_the_right_authority_is_believed_and_everything_else_refused() {
    let papers = Papers::issue();
    let (stack, port) = servers(&papers).await;
    let database = |rest: &str| format!("{}?{rest}", stack.database_url());
    let authority = |name: &str| format!("sslmode=verify-full&sslrootcert={}", papers.text(name));
    for (url, expected, words) in [
        (database(&authority("right.pem")), true, "up to date"),
        (database(&authority("wrong.pem")), false, "certificate"),
        (database("sslmode=disable"), false, "no encryption"),
    ] {
        let (status, said) = outflow(&["migrate"], "OUTFLOW_DATABASE_URL", &url);
        assert_eq!(status == Some(0), expected, "{url}: {said}");
        assert!(said.contains(words), "{url}: {said}");
    }

    let place = stack.amqp_url().split_once("://").unwrap().1;
    let (user, _) = place.split_once('@').unwrap();
    let broker = |scheme: &str, rest: &str| format!("{scheme}://{user}@localhost:{port}/%2f{rest}");
    let authority = |name: &str| format!("?cacertfile={}", papers.text(name));
    for (url, expected, words) in [
        (broker("amqps", &authority("right.pem")), true, "are there"),
        (broker("amqps", &authority("wrong.pem")), false, "UnknownIssuer"),
        (broker("amqps", &authority("nowhere.pem")), false, "nowhere.pem, cannot be read"),
        // The system trusts no authority of ours.
        (broker("amqps", ""), false, "UnknownIssuer"),
        (broker("amqp", ""), false, "amqps://"),
    ] {
        let (status, said) = outflow(&["topology", "apply"], "OUTFLOW_AMQP_URL", &url);
        assert_eq!(status == Some(0), expected, "{said}");
        assert!(said.contains(words), "{words}: {said}");
        let password = user.split_once(':').unwrap().1;
        assert!(!said.contains(password), "a password is told");
    }
    stack.stop().await.unwrap();
}

#[test]
fn s08_s09_plain_text_to_another_machine_is_refused_except_in_the_dev_profile() {
    for (arguments, variable, url) in [
        (["migrate", "--log=human"], "OUTFLOW_DATABASE_URL", "postgres://outflow:Zr4-q7@db.invalid/outflow"),
        (["topology", "diff"], "OUTFLOW_AMQP_URL", "amqp://outflow:Zr4-q7@mq.invalid/outflow"),
    ] {
        let (status, said) = outflow(&arguments, variable, url);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("does not ask for TLS") && !said.contains("Zr4-q7"), "{said}");
    }
}

#[test]
fn the_authorities_of_this_test_are_two() {
    let papers = Papers::issue();
    let read = |name: &str| fs::read_to_string(Path::new(&papers.path(name))).unwrap();
    assert_ne!(read("right.pem"), read("wrong.pem"));
}
