//! The examples under `deploy`: the binary takes what they say.
//!
//! Invariant: no example names a flag, a folder or a home that the others do not.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::harness::{arg, finish, prosopon, root, say, temp};

/// The arguments after the program in a unit's `ExecStart`.
fn exec_start(unit: &str) -> Vec<String> {
    let line = unit.lines().find_map(|l| l.strip_prefix("ExecStart=/usr/local/bin/prosopon ")).expect("it starts us");
    line.split_whitespace().map(str::to_owned).collect()
}

/// Whether the binary takes the arguments of an example: it must get as far as reading the pipeline file.
fn takes(args: &[String]) {
    let said = say(args).expect(2);
    assert!(said.err.contains("/etc/prosopon/nightly.yaml"), "{args:?}: {}", said.err);
}

#[test]
fn the_units_are_right() {
    let (units, dir) = (root().join("deploy/systemd"), temp());
    let mut names = Vec::new();
    for entry in fs::read_dir(&units).expect("the examples") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|n| n.to_str()).expect("a name").to_owned();
        let unit = fs::read_to_string(&path).expect("a unit");
        if name.ends_with(".service") {
            takes(&exec_start(&unit));
            // The template's `output.home` is another folder than the one that may be written to.
            assert!(unit.contains(" --out /srv/prosopon ") && unit.contains("ReadWritePaths=/srv/prosopon"), "{name}");
        }
        let unit = unit.replace("/usr/local/bin/prosopon", env!("CARGO_BIN_EXE_prosopon"));
        fs::write(dir.path().join(&name), unit).expect("a unit");
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["prosopon-once.service", "prosopon-once.timer", "prosopon.service"]);
    let mut verify = Command::new("systemd-analyze");
    verify.arg("verify").args(&names).current_dir(dir.path()).env("SYSTEMD_UNIT_PATH", format!("{}:", arg(dir.path())));
    let Ok(said) = verify.output() else {
        println!("skipped: no systemd-analyze here");
        return;
    };
    let told = String::from_utf8_lossy(&said.stderr).into_owned();
    let ours: Vec<&str> = told.lines().filter(|l| names.iter().any(|n| l.contains(n.as_str()))).collect();
    assert_eq!(ours, [] as [&str; 0], "{told}");
}

#[test]
fn the_manifests_are_right() {
    for (name, kind, pod) in [
        ("cronjob.yaml", "CronJob", "/spec/jobTemplate/spec/template/spec"),
        ("deployment.yaml", "Deployment", "/spec/template/spec"),
    ] {
        let text = fs::read_to_string(root().join("deploy/kubernetes").join(name)).expect("a manifest");
        let manifest: Value = serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(manifest["kind"], kind);
        let pod = manifest.pointer(pod).expect("a pod");
        let container = &pod["containers"][0];
        let words = |list: &Value| -> Vec<String> {
            let words = list.as_array().expect("a list").iter();
            words.map(|w| w.as_str().expect("a word").to_owned()).collect()
        };
        takes(&words(&container["args"]));
        assert!(words(&container["args"]).windows(2).any(|w| w == ["--out", "/srv/prosopon"]), "{name}");
        let mounted = container["volumeMounts"].as_array().expect("a list").iter().map(|m| &m["name"]);
        let volumes: Vec<&Value> = pod["volumes"].as_array().expect("a list").iter().map(|v| &v["name"]).collect();
        assert_eq!(mounted.collect::<Vec<_>>(), volumes, "{name}");
        assert!(pod["terminationGracePeriodSeconds"].as_u64().is_some_and(|s| s >= 60));
        if kind == "CronJob" {
            assert_eq!(manifest["spec"]["concurrencyPolicy"], "Forbid");
            let args = words(&container["args"]);
            assert!(args.iter().any(|w| w == "--accept-dead-letters"), "1 would be a failed job");
            continue;
        }
        assert_eq!(manifest["spec"]["strategy"]["type"], "Recreate");
        let probe = words(&container["livenessProbe"]["exec"]["command"]);
        assert_eq!(probe[0], "prosopon");
        let said = say(&probe[1..]).expect(3);
        assert!(said.err.contains("/srv/prosopon is no initialised home"), "{}", said.err);
    }
}

#[test]
fn the_job_makes_a_home() {
    let text = fs::read_to_string(root().join("deploy/kubernetes/init-job.yaml")).expect("a manifest");
    let job: Value = serde_saphyr::from_str(&text).expect("YAML");
    let pod = &job["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let dir = temp();
    let home = dir.path().join("home");
    let args = container["args"].as_array().expect("a list").iter().map(|w| w.as_str().expect("a word"));
    let args: Vec<&str> = args.map(|w| if w == "/srv/prosopon" { arg(&home) } else { w }).collect();
    let name = container["env"][0]["name"].as_str().expect("a variable");
    let init = prosopon().args(&args).env(name, "ab".repeat(32)).spawn().expect("the binary starts");
    let said = finish(init).expect(0);
    assert!(said.err.contains("master key is in env:PROSOPON_MASTER_KEY"), "{}", said.err);
    assert!(home.join("home.json").exists());
    for mounts in [&container["volumeMounts"], &pod["initContainers"][0]["volumeMounts"]] {
        assert_eq!(
            (&mounts[0]["name"], &mounts[0]["mountPath"]),
            (&pod["volumes"][0]["name"], &"/srv/prosopon".into())
        );
    }
}

#[test]
fn an_image_is_not_built_from_what_was_built_or_written_here() {
    let [docker, podman] = [".dockerignore", ".containerignore"].map(|f| fs::read_to_string(root().join(f)).expect(f));
    assert_eq!(docker, podman);
    for folder in [".git", "target", "prosopon-home"] {
        assert!(docker.lines().any(|line| line == folder), "{folder}");
    }
}
