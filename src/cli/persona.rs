//! `prosopon persona` and `prosopon account`: cards in the terminal.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Args;

use super::HomeArg;
use super::card::{Card, Style, meter};
use super::exit::Usage;
use super::prior::{Prior, prior_or_value};
use super::reader::Reader;
use crate::consent::gate::Clock;
use crate::model::{AccountId, Claim, Signal};
use crate::persona::rows::{AccountRow, BuyingCenterRow, MotiveScore, Named, Persona};
use crate::sink::{self, Select};
use crate::taxonomy::{BuyingRole, Channel, FacetStatus, JobFunction, PointKind, Seniority, SigningPower};

#[derive(Debug, Args)]
pub(super) struct PersonaArgs {
    /// The contact: subject id (sub_...) or the CRM's record id
    subject: String,
    #[command(flatten)]
    home: HomeArg,
}

#[derive(Debug, Args)]
pub(super) struct AccountArgs {
    /// The company: account id (acc_...) or the CRM's record id
    account: String,
    #[command(flatten)]
    home: HomeArg,
}

pub(super) fn persona(args: &PersonaArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(&args.home, wall)?;
    let persona = reader.persona(&args.subject)?;
    let allowed = reader.may_read(&persona);
    reader.log("persona")?;
    allowed.map_err(|reasons| Usage(format!("the gate refuses to show {}: {reasons}", persona.subject_id)))?;
    let signals = sink::read_evidence(&reader.snapshot, &Select::Subject(persona.subject_id.clone()))?;
    let account = match &persona.account_id {
        Some(id) => sink::read_accounts(&reader.snapshot, &Select::Account(id.clone()))?.pop(),
        None => None,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let card = &mut Card { out: &mut out, style: Style::detect() };
    persona_card(card, &persona, account.as_ref(), &signals, &args.home.again())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn persona_card<W: Write>(
    card: &mut Card<'_, W>,
    persona: &Persona,
    account: Option<&AccountRow>,
    signals: &[Signal],
    home: &str,
) -> io::Result<()> {
    let company = account.map_or("no company", |a| a.name.as_str());
    card.title(&format!("{}  {company}", persona.crm_record))?;
    card.note(&format!(
        "{} · as of {} · basis {} · notice {} · kept until {}",
        persona.subject_id,
        day(persona.as_of),
        persona.legal.basis.join(", "),
        persona.legal.notice_status.replace('_', " "),
        day(persona.legal.retain_until),
    ))?;
    card.section("Position")?;
    let function = &persona.job_function;
    card.facet("function", function.value.map(JobFunction::as_str), function.p, function.status)?;
    quotes(card, signals, "job_function")?;
    if !persona.secondary_functions.is_empty() {
        let also: Vec<&str> = persona.secondary_functions.iter().map(|f| f.as_str()).collect();
        card.row("also", &also.join(", "))?;
    }
    let seniority = &persona.seniority;
    card.facet("seniority", seniority.value.map(Seniority::as_str), seniority.p, seniority.status)?;
    quotes(card, signals, "seniority")?;
    let power = &persona.signing_power;
    card.facet("signing power", power.value.map(SigningPower::as_str), power.p, power.status)?;
    quotes(card, signals, "signing_power")?;
    card.section("Buying center")?;
    let mut roles: Vec<_> = persona.buying_roles.iter().collect();
    roles.sort_by(|a, b| b.probability.unwrap_or(-1.0).total_cmp(&a.probability.unwrap_or(-1.0)));
    for role in roles {
        let value = role.probability.map(|_| "");
        card.facet(role.role.as_str(), value, role.probability, role.status)?;
        quotes(card, signals, &format!("buying_role.{}", role.role))?;
    }
    traits(card, persona, signals)?;
    single_signals(card, persona, signals)?;
    unknown(card, persona)?;
    card.section("Why")?;
    card.note(&format!("  prosopon explain {} buying_role.decider{home}", persona.crm_record))
}

fn traits<W: Write>(card: &mut Card<'_, W>, persona: &Persona, signals: &[Signal]) -> io::Result<()> {
    let known: Vec<_> = persona.traits.iter().filter(|t| t.score.is_some()).collect();
    let motives: Vec<_> = persona.motives.iter().filter(|m| m.confidence.is_some()).collect();
    let channels: Vec<_> = persona.channels.iter().filter(|c| c.channel.is_some()).collect();
    let said = stated(persona);
    if known.is_empty() && motives.is_empty() && channels.is_empty() && said.is_empty() {
        return Ok(());
    }
    card.section("Person")?;
    for t in known {
        let value = format!("{:+.2} on -1..+1", t.score.unwrap_or_default());
        if let Some(prior) = Prior::of(persona, &format!("trait.{}", t.r#trait), None, t.status) {
            prior.tell(card, t.r#trait.as_str(), &value)?;
            continue;
        }
        card.facet(t.r#trait.as_str(), Some(&value), t.confidence, t.status)?;
        quotes(card, signals, &format!("trait.{}", t.r#trait))?;
    }
    for m in motives {
        if let Some(prior) = Prior::of(persona, "motive", Some(m.motive.as_str()), m.status) {
            prior.tell(card, "motive", m.motive.as_str())?;
            continue;
        }
        card.facet("motive", Some(m.motive.as_str()), m.confidence, m.status)?;
        quotes(card, signals, "motive")?;
    }
    for c in channels {
        let channel = c.channel.map(Channel::as_str);
        let prior = Prior::of(persona, &format!("channel.{}", c.phase), channel, c.status);
        prior_or_value(card, c.phase.as_str(), channel, c.status, prior)?;
    }
    quotes_of(card, signals, |s| is_shown_channel(persona, s))?;
    for (kind, n) in said {
        let facet = if kind == PointKind::Requirement { format!("requirement.{}", n.name) } else { kind.to_string() };
        let prior = Prior::of(persona, &facet, n.value.as_deref(), n.status);
        // The one that is wider than the column.
        let label = if kind == PointKind::InformationBehaviour { "information" } else { kind.as_str() };
        prior_or_value(card, label, n.value.as_deref(), n.status, prior)?;
        if n.status == FacetStatus::Known {
            let value = n.value.as_deref();
            quotes_of(card, signals, |s| s.claim.facet() == kind.as_str() && Some(s.claim.value().as_str()) == value)?;
        }
    }
    Ok(())
}

/// Whether a channel that is known of the person rests on the signal: the card has its words beside it.
fn is_shown_channel(persona: &Persona, signal: &Signal) -> bool {
    let Claim::Channel(phase, channel) = signal.claim else { return false };
    let known = persona.channels.iter().filter(|c| c.status == FacetStatus::Known && c.channel == Some(channel));
    known.into_iter().any(|c| phase.is_none_or(|phase| phase == c.phase))
}

/// Everything that was stated, or that a study or the segment says in its stead.
fn stated(persona: &Persona) -> Vec<(PointKind, &Named)> {
    let columns = [
        (PointKind::Goal, &persona.goals, None),
        (PointKind::Requirement, &persona.requirements, None),
        (PointKind::BuyingBehaviour, &persona.buying_behaviour, None),
        (PointKind::InformationBehaviour, &persona.information_behaviour, None),
        (PointKind::AvoidedChannel, &persona.avoided_channels, None),
        (PointKind::Pain, &persona.empathy_map, Some("pains")),
        (PointKind::Gain, &persona.empathy_map, Some("gains")),
    ];
    let mut all = Vec::new();
    for (kind, column, part) in columns {
        let meant = column.iter().filter(|n| n.value.is_some() && part.is_none_or(|p| p == n.name));
        all.extend(meant.map(|n| (kind, n)));
    }
    all
}

/// What somebody said once: worth reading, too little for a facet.
fn single_signals<W: Write>(card: &mut Card<'_, W>, persona: &Persona, signals: &[Signal]) -> io::Result<()> {
    let known: Vec<String> = persona
        .traits
        .iter()
        .filter(|t| t.status == FacetStatus::Known)
        .map(|t| format!("trait.{}", t.r#trait))
        .collect();
    let said = stated(persona);
    let is_known = |s: &Signal| {
        let (facet, value) = (s.claim.facet(), s.claim.value());
        let of_point = |(kind, n): &(PointKind, &Named)| {
            n.status == FacetStatus::Known && kind.as_str() == facet && n.value.as_deref() == Some(value.as_str())
        };
        let of_motive = |m: &MotiveScore| m.status == FacetStatus::Known && s.claim == Claim::Motive(m.motive);
        known.contains(&facet)
            || said.iter().any(of_point)
            || persona.motives.iter().any(of_motive)
            || is_shown_channel(persona, s)
    };
    let single: Vec<&Signal> = signals.iter().filter(|s| s.claim.is_profile() && !is_known(s)).collect();
    if single.is_empty() {
        return Ok(());
    }
    card.section("Said once, too little to conclude from")?;
    for signal in single {
        let facet = signal.claim.facet();
        card.line(&super::card::readable(facet.split_once('.').map_or(facet.as_str(), |(_, name)| name)))?;
        card.quote(signal)?;
    }
    Ok(())
}

/// What is not known of the person, and why, grouped by reason.
fn unknown<W: Write>(card: &mut Card<'_, W>, persona: &Persona) -> io::Result<()> {
    let mut by_reason: BTreeMap<FacetStatus, Vec<String>> = BTreeMap::new();
    let mut note = |status: FacetStatus, is_unknown: bool, name: &str| {
        if is_unknown {
            by_reason.entry(status).or_default().push(name.replace('_', " "));
        }
    };
    for t in &persona.traits {
        note(t.status, t.score.is_none(), t.r#trait.as_str());
    }
    for m in &persona.motives {
        note(m.status, m.confidence.is_none(), m.motive.as_str());
    }
    for c in &persona.channels {
        note(c.status, c.channel.is_none(), &format!("channel of {}", c.phase));
    }
    let groups = [
        ("", &persona.goals),
        ("", &persona.buying_behaviour),
        ("", &persona.information_behaviour),
        ("", &persona.avoided_channels),
        ("", &persona.context),
        ("requirements as ", &persona.requirements),
        ("empathy map: ", &persona.empathy_map),
    ];
    for (prefix, named) in groups.iter().flat_map(|(prefix, all)| all.iter().map(move |n| (prefix, n))) {
        note(named.status, named.value.is_none(), &format!("{prefix}{}", named.name));
    }
    if by_reason.is_empty() {
        return Ok(());
    }
    card.section("Unknown, and why")?;
    for (status, names) in by_reason {
        card.line(super::card::why(status))?;
        for line in wrap(&names.join(", "), super::card::terminal_width().saturating_sub(6).max(40)) {
            card.note(&format!("      {line}"))?;
        }
    }
    Ok(())
}

fn quotes<W: Write>(card: &mut Card<'_, W>, signals: &[Signal], facet: &str) -> io::Result<()> {
    quotes_of(card, signals, |s| s.claim.facet() == facet)
}

fn quotes_of<W: Write>(
    card: &mut Card<'_, W>,
    signals: &[Signal],
    is_meant: impl Fn(&Signal) -> bool,
) -> io::Result<()> {
    let mut matching: Vec<&Signal> = signals.iter().filter(|s| is_meant(s)).collect();
    matching.sort_by(|a, b| b.weight.total_cmp(&a.weight).then(a.id.cmp(&b.id)));
    matching.dedup_by(|a, b| {
        a.evidence.quote == b.evidence.quote && a.evidence.source_id == b.evidence.source_id && a.claim == b.claim
    });
    matching.truncate(4);
    matching.into_iter().try_for_each(|signal| card.quote(signal))
}

pub(super) fn account(args: &AccountArgs, wall: &Clock) -> anyhow::Result<ExitCode> {
    let mut reader = Reader::open(&args.home, wall)?;
    let id = match args.account.strip_prefix(AccountId::PREFIX) {
        Some(body) => vec![AccountId::from_body(body)],
        None => reader.home.crms().iter().map(|crm| reader.home.ids().account(crm, &args.account)).collect(),
    };
    let mut row = None;
    for id in id {
        row = row.or(sink::read_accounts(&reader.snapshot, &Select::Account(id))?.pop());
    }
    let row = row.ok_or_else(|| {
        let text = "give an account id (acc_...) or the CRM's record id";
        Usage(format!("no company {} in the snapshot of {}: {text}", args.account, reader.pipeline))
    })?;
    let select = Select::Account(row.account_id.clone());
    let mut personas = sink::read_personas(&reader.snapshot, &select)?;
    personas.retain(|p| reader.may_read(p).is_ok());
    reader.log("account")?;
    let centers = sink::read_buying_centers(&reader.snapshot, &select)?;
    let signals = sink::read_evidence(&reader.snapshot, &select)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let card = &mut Card { out: &mut out, style: Style::detect() };
    account_card(card, &row, &personas, &centers, &signals)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn account_card<W: Write>(
    card: &mut Card<'_, W>,
    row: &AccountRow,
    personas: &[Persona],
    centers: &[BuyingCenterRow],
    signals: &[Signal],
) -> io::Result<()> {
    card.title(&row.name)?;
    card.note(&format!("{} · CRM {}", row.account_id, row.crm_record))?;
    card.section("Company")?;
    firmographics(card, row)?;
    let mut company: Vec<&Signal> = signals.iter().filter(|s| s.claim.facet().starts_with("account.")).collect();
    company.sort_by(|a, b| a.evidence.quote.cmp(&b.evidence.quote).then(b.weight.total_cmp(&a.weight)));
    company.dedup_by(|a, b| a.evidence.quote == b.evidence.quote);
    company.iter().take(4).try_for_each(|s| card.quote(s))?;
    for (label, facet) in [
        ("decision style", &row.decision_style),
        ("development", &row.development),
        ("innovation", &row.innovation),
        ("digital maturity", &row.digital_maturity),
        ("competition", &row.competitive_pressure),
    ] {
        card.facet(label, facet.value.as_deref(), facet.p, facet.status)?;
    }
    card.section(&format!("Buying center ({} contacts with a persona)", personas.len()))?;
    for center in centers {
        center_rows(card, center, personas)?;
    }
    let missing: Vec<&BuyingCenterRow> = centers.iter().filter(|c| c.next_best_question.is_some()).collect();
    if !missing.is_empty() {
        card.section("Who is missing, and what to ask next")?;
        for center in missing {
            card.row(center.role.as_str(), center.next_best_question.as_deref().unwrap_or_default())?;
        }
    }
    Ok(())
}

fn firmographics<W: Write>(card: &mut Card<'_, W>, row: &AccountRow) -> io::Result<()> {
    let place = [row.city.as_deref(), row.country.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let size = row
        .employees
        .map(|n| format!("{n} employees{}", row.size_class.as_ref().map_or(String::new(), |c| format!(" ({c})"))));
    let revenue = row.revenue_eur.map(|r| format!("{:.1} million EUR a year", r / 1e6));
    let rows = [
        ("place", Some(place).filter(|p| !p.is_empty())),
        ("industry", row.industry.clone()),
        ("size", size),
        ("revenue", revenue),
        ("legal form", row.legal_form.clone()),
        ("register", row.register.clone()),
        ("VAT id", row.vat_id.clone()),
        ("age", row.age_years.map(|a| format!("{a} years"))),
        ("site", row.domain.clone()),
    ];
    rows.iter().filter_map(|(label, value)| Some((label, value.as_ref()?))).try_for_each(|(l, v)| card.row(l, v))
}

fn center_rows<W: Write>(card: &mut Card<'_, W>, center: &BuyingCenterRow, personas: &[Persona]) -> io::Result<()> {
    let shown: Vec<(&Persona, f64)> = center
        .members
        .iter()
        .filter_map(|m| Some((personas.iter().find(|p| p.subject_id == m.subject_id)?, m.probability)))
        .collect();
    if shown.is_empty() {
        let core = BuyingRole::CORE.contains(&center.role);
        return if core { card.facet(center.role.as_str(), None, None, center.coverage) } else { Ok(()) };
    }
    for (i, (persona, probability)) in shown.iter().enumerate() {
        let label = if i == 0 { center.role.as_str() } else { "" };
        let function =
            super::card::readable(persona.job_function.value.map_or("function unknown", JobFunction::as_str));
        let seniority = super::card::readable(persona.seniority.value.map_or("level unknown", Seniority::as_str));
        let value = format!("{:<10} {function}, {seniority}", persona.crm_record);
        card.row(label, &format!("{value:<48} {}", meter(*probability)))?;
    }
    Ok(())
}

fn day(at: jiff::Timestamp) -> jiff::civil::Date {
    jiff::tz::Offset::UTC.to_datetime(at).date()
}

/// Breaks at spaces.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("never empty");
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
