//! The program as its users meet it: the real binary, on loopback, in homes of its own.
//!
//! Invariant: a test drives the command line (or reads tables through the library), waits without sleeping, and
//! leaves nothing behind. One shared finished demo serves every test that only reads.

mod harness;
mod runs;
mod tables;

mod access;
mod audit;
mod carried;
mod carry;
mod clear_noes;
mod consent_import;
mod contact_noes;
mod contracts;
mod crowd;
mod cursor;
mod demo;
mod demo_data;
mod demo_web;
mod deploy;
mod determinism;
mod dpo;
mod encryption;
mod exit_codes;
mod exports;
mod faults;
mod fetch;
mod flags;
mod gone;
mod homes;
mod inputs;
mod kill;
mod late;
mod legal_exports;
mod lineage;
mod many_files;
#[path = "../../src/lineage/published.rs"]
mod openlineage;
mod own_words;
mod parts;
mod privacy;
mod put_back;
mod readers;
mod report;
mod restricted;
mod rewrite;
mod rights;
mod schedule;
mod schedule_told;
mod segments;
mod story;
mod validate;
mod watched;
