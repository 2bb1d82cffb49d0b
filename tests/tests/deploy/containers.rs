//! The image, the compose file and the manifests: every process is there, none is root,
//! none holds a secret, and every command is one that the programs have.
//!
//! Nobody builds an image here: that needs Docker. What can be read is read.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde::Deserialize;
use serde_json::Value;
use store::roles;
use tests::{program, repository};

use crate::{names, read};

/// The user of every container.
const USER: u64 = 10_001;

/// The documents of a YAML file, with its merge keys resolved.
fn documents(file: &str) -> Vec<Value> {
    let text = read(file);
    serde_norway::Deserializer::from_str(&text)
        .map(|document| {
            let mut value =
                serde_norway::Value::deserialize(document).unwrap_or_else(|error| panic!("{file}: {error}"));
            value.apply_merge().unwrap_or_else(|error| panic!("{file}: {error}"));
            serde_json::to_value(value).unwrap_or_else(|error| panic!("{file}: {error}"))
        })
        .filter(|it| !it.is_null())
        .collect()
}

/// The manifests that kustomize puts together, by their files.
fn manifests() -> Vec<(String, Value)> {
    let list = documents("deploy/kubernetes/kustomization.yaml").remove(0);
    let files: Vec<String> = list["resources"].as_array().expect("resources").iter().map(word).collect();
    let mut there: BTreeSet<String> = BTreeSet::new();
    for folder in ["", "workers/"] {
        for entry in fs::read_dir(repository().join("deploy/kubernetes").join(folder)).expect("the folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("its name is text");
            if name.strip_suffix(".yaml").is_some_and(|it| it != "kustomization") {
                there.insert(format!("{folder}{name}"));
            }
        }
    }
    assert_eq!(files.iter().cloned().collect::<BTreeSet<_>>(), there, "kustomization.yaml lists every file");
    let read = |file: &String| {
        documents(&format!("deploy/kubernetes/{file}"))
            .into_iter()
            .map(|it| (file.clone(), it))
            .collect::<Vec<_>>()
    };
    files.iter().flat_map(read).collect()
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().map(|all| all.iter().map(word).collect()).unwrap_or_default()
}

/// Whether a program has such a command: asked for its help, it knows it.
fn has_command(name: &str, arguments: &[String]) -> bool {
    let mut command = Command::new(program(name));
    command.args(arguments).arg("--help").output().expect("it starts").status.success()
}

/// The workers of the program, each in a process of its own.
fn workers() -> BTreeSet<String> {
    roles::roles().iter().map(|it| it.name.to_owned()).filter(|it| it != roles::OPERATOR).collect()
}

#[test]
fn kubernetes_runs_every_worker_confined_and_watched() {
    let mut found = BTreeSet::new();
    for (file, it) in manifests().iter().filter(|(_, it)| it["kind"] == "Deployment") {
        let spec = &it["spec"]["template"]["spec"];
        let container = &spec["containers"][0];
        let arguments = words(&container["args"]);
        assert!(has_command("outflow", &arguments), "{file}: {arguments:?}");
        let worker = &arguments[1];
        found.insert(worker.clone());
        assert_eq!(it["metadata"]["name"], format!("outflow-{worker}"), "{file}");
        for labels in [&it["spec"]["selector"]["matchLabels"], &it["spec"]["template"]["metadata"]["labels"]]
        {
            assert_eq!(labels["app.kubernetes.io/component"], worker.as_str(), "{file}");
        }
        for probe in ["livenessProbe", "readinessProbe"] {
            let path = &container[probe]["httpGet"]["path"];
            assert!(path == "/healthz" || path == "/readyz", "{file}: {probe}");
            let port = &container[probe]["httpGet"]["port"];
            let ports = container["ports"].as_array().expect("ports");
            assert!(ports.iter().any(|it| it["name"] == *port), "{file}: {probe} asks {port}");
        }
        // A worker has its own role and its own user.
        let variables = container["env"].as_array().expect("variables");
        for variable in ["OUTFLOW_DATABASE_URL", "OUTFLOW_AMQP_URL"] {
            let from = variables.iter().find(|it| it["name"] == variable).expect("the variable");
            let secret = &from["valueFrom"]["secretKeyRef"]["name"];
            assert_eq!(secret, &format!("outflow-{worker}"), "{file}: {variable}");
        }
        assert!(spec["terminationGracePeriodSeconds"].as_u64() >= Some(60), "{file}");
    }
    assert_eq!(found, workers());
}

#[test]
fn no_pod_is_root_or_may_become_it_and_none_holds_a_secret() {
    let mut pods = 0;
    for (file, it) in manifests() {
        assert_ne!(it["kind"], "Secret", "{file}: secrets are made outside");
        let spec = &it["spec"]["template"]["spec"];
        if spec.is_null() {
            continue;
        }
        pods += 1;
        let pod = &spec["securityContext"];
        assert_eq!((&pod["runAsNonRoot"], &pod["runAsUser"]), (&true.into(), &USER.into()), "{file}");
        assert_eq!(pod["seccompProfile"]["type"], "RuntimeDefault", "{file}");
        assert_eq!(spec["automountServiceAccountToken"], false, "{file}");
        for container in spec["containers"].as_array().expect("containers") {
            let context = &container["securityContext"];
            assert_eq!(context["readOnlyRootFilesystem"], true, "{file}");
            assert_eq!(context["allowPrivilegeEscalation"], false, "{file}");
            assert_eq!(words(&context["capabilities"]["drop"]), ["ALL"], "{file}");
            assert!(!container["resources"]["limits"]["memory"].is_null(), "{file}");
            for variable in container["env"].as_array().into_iter().flatten() {
                let secret = ["URL", "KEY", "PASSWORD"].iter().any(|it| word(&variable["name"]).contains(it));
                let file_of_keys = variable["name"] == "OUTFLOW_GATEWAY_KEYS";
                assert!(!secret || file_of_keys || variable["value"].is_null(), "{file}: {variable}");
            }
        }
    }
    assert!(pods > workers().len(), "{pods}");
}

#[test]
fn what_is_scaled_exists_and_is_scaled_by_backlog_and_by_age() {
    let manifests = manifests();
    let mut scaled = BTreeSet::new();
    for (_, it) in manifests.iter().filter(|(_, it)| it["kind"] == "ScaledObject") {
        let target = word(&it["spec"]["scaleTargetRef"]["name"]);
        let deployment =
            manifests.iter().find(|(_, it)| it["kind"] == "Deployment" && it["metadata"]["name"] == *target);
        let (_, deployment) = deployment.unwrap_or_else(|| panic!("there is no {target}"));
        assert!(deployment["spec"]["replicas"].is_null(), "{target}: two would decide how many there are");
        assert!(
            it["spec"]["minReplicaCount"].as_u64() >= Some(1),
            "{target}: nobody would see that it is needed"
        );
        let triggers = it["spec"]["triggers"].as_array().expect("triggers");
        assert_eq!(triggers.len(), 2, "{target}: backlog and age");
        for trigger in triggers {
            assert_eq!(trigger["type"], "prometheus");
            assert!(word(&trigger["metadata"]["query"]).contains("outflow_"), "{trigger}");
            let threshold: f64 = word(&trigger["metadata"]["threshold"]).parse().expect("a number");
            assert!(threshold > 0.0);
        }
        scaled.insert(target);
    }
    for worker in ["intake", "payout", "settle", "relay"] {
        assert!(scaled.contains(&format!("outflow-{worker}")), "{worker}");
    }
}

#[test]
fn compose_has_everything_and_no_secret_of_its_own() {
    let compose = documents("deploy/docker/compose.yaml").remove(0);
    let services = compose["services"].as_object().expect("services");
    for name in ["postgres", "rabbitmq", "simulator", "workers", "api", "prometheus", "grafana"] {
        assert!(services.contains_key(name), "{name}");
    }
    for (name, it) in services {
        for needed in it["depends_on"].as_object().into_iter().flat_map(|all| all.keys()) {
            assert!(services.contains_key(needed), "{name} waits for {needed}");
        }
        for (variable, value) in it["environment"].as_object().into_iter().flatten() {
            let secret = ["PASSWORD", "KEYS", "KEY"].iter().any(|it| variable.ends_with(it));
            let value = value.as_str().unwrap_or_default();
            assert!(!secret || value.starts_with("${") || value.starts_with('/'), "{name}: {variable}");
            assert!(
                !value.contains("://") || !value.contains('@') || value.contains(":${"),
                "{name}: {variable}"
            );
        }
        for mount in it["volumes"].as_array().into_iter().flatten().map(word) {
            let from = mount.split(':').next().expect("a split has a first part").to_owned();
            let here = repository().join("deploy/docker").join(&from);
            let volume = compose["volumes"].as_object().expect("volumes").contains_key(&from);
            assert!(volume || from.starts_with('.') && here.exists(), "{name} mounts {from}");
        }
        if it["image"] == "outflow" {
            ours(name, it);
        }
    }
}

/// A container of our image.
fn ours(name: &str, it: &Value) {
    assert_eq!((&it["read_only"], words(&it["cap_drop"])), (&true.into(), vec!["ALL".to_owned()]), "{name}");
    let arguments = words(&it["command"]);
    match words(&it["entrypoint"]).as_slice() {
        [] => assert!(has_command("outflow", &arguments), "{name}: {arguments:?}"),
        [simulator] if simulator == "gateway-simulator" => {
            assert!(has_command("gateway-simulator", &arguments), "{name}: {arguments:?}");
        }
        [shell, option, script] if shell == "sh" && option == "-c" => {
            let line = script.split('>').next().expect("a split has a first part");
            let line: Vec<String> = line.split_whitespace().skip(1).map(str::to_owned).collect();
            assert!(has_command("outflow", &line), "{name}: {script}");
        }
        [program, ..] => assert_eq!(program, "install", "{name}"),
    }
    if let Some(asks) = it["healthcheck"]["test"].as_array() {
        let asks: Vec<String> = asks.iter().skip(2).map(word).collect();
        assert!(has_command("outflow", &asks), "{name}: {asks:?}");
    }
}

#[test]
fn every_secret_of_the_compose_file_is_made_by_the_script() {
    let script = repository().join("deploy/docker/secrets.sh");
    let made = || Command::new("sh").arg(&script).output().expect("a shell").stdout;
    let made = || String::from_utf8(made()).expect("it prints text");
    let (first, second) = (made(), made());
    let compose = read("deploy/docker/compose.yaml");
    let needed: BTreeSet<&str> = names(&compose, "${").into_iter().collect();
    let lines: Vec<(&str, &str)> = first.lines().filter_map(|it| it.split_once('=')).collect();
    assert_eq!(lines.iter().map(|it| it.0).collect::<BTreeSet<_>>(), needed);
    for (name, value) in lines {
        assert!(value.len() >= 32 && !second.contains(value), "{name} is guessed");
    }
}

#[test]
fn the_image_is_small_is_not_root_and_starts_commands_that_exist() {
    let text = read("deploy/docker/Dockerfile");
    let stages: Vec<&str> = text.lines().filter(|it| it.starts_with("FROM ")).collect();
    assert!(stages.len() == 2 && stages[1].contains("-slim"), "{stages:?}");
    let (_, last) = text.split_once(stages[1]).expect("it is there");
    assert!(last.contains(&format!("USER {USER}:{USER}")), "by number, so that others can see it");
    let form = |start: &str| -> Vec<String> {
        let line = last.lines().find_map(|it| it.strip_prefix(start)).expect("the instruction");
        let words = line.split_once('[').expect("the form without a shell").1;
        serde_json::from_str(&format!("[{words}")).expect("the form without a shell")
    };
    let starts = [&form("ENTRYPOINT")[1..], &form("CMD")].concat();
    assert!(has_command("outflow", &starts), "{starts:?}");
    let asks = form("HEALTHCHECK");
    assert!(asks[0] == "outflow" && has_command("outflow", &asks[1..]), "{asks:?}");
    for copied in
        last.lines().filter_map(|it| it.strip_prefix("COPY ")).filter(|it| !it.starts_with("--from"))
    {
        let from = copied.split(' ').next().expect("a split has a first part");
        assert!(repository().join(from).exists(), "{from}");
    }
    for secret in ["PASSWORD", "_URL", "VAULT"] {
        assert!(!text.contains(secret), "{secret} in the image");
    }
}

#[test]
fn every_variable_that_a_container_gets_is_read() {
    let help = Command::new(program("outflow")).args(["run", "--help"]).output().expect("it starts");
    let known = read("config/outflow.toml") + &String::from_utf8_lossy(&help.stdout);
    let known: BTreeSet<&str> = names(&known, "OUTFLOW_").into_iter().collect();
    let mut text = read("deploy/docker/compose.yaml") + &read("deploy/docker/Dockerfile");
    for worker in workers() {
        text += &read(&format!("deploy/kubernetes/workers/{worker}.yaml"));
    }
    for name in names(&text, "OUTFLOW_") {
        let user = name.strip_prefix("AMQP_PASSWORD_").map(str::to_lowercase);
        let of_user = user.is_some_and(|user| broker::user_names().any(|it| it == user));
        assert!(of_user || known.contains(name) || name == "CONFIG", "nothing reads OUTFLOW_{name}");
    }
}

#[test]
fn kustomize_puts_every_manifest_together() {
    let mut command = Command::new("kubectl");
    command.arg("kustomize").arg(repository().join("deploy/kubernetes"));
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            println!("not asked of kustomize: kubectl: {error}");
            return;
        }
    };
    let (text, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert_eq!(text.matches("kind: Deployment\n").count(), workers().len(), "{text}");
    assert!(!text.contains("image: outflow\n"), "an image that nobody can pull: {text}");
}
