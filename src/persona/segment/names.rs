//! Which segments a person belongs to, the narrowest first.
//!
//! Invariant: the names of a segment are made of closed vocabularies and of the company's industry; people whose
//! function or level is not known belong to none.

use crate::persona::rows::Persona;
use crate::persona::settings::Size;
use crate::taxonomy::Seniority;

/// The segments of one position, narrowest first: function, group of levels, industry and size class; then without the
/// industry; then without the size. One whose industry or size is not known is left out.
///
/// They are named like `procurement/middle/nace C/medium`, `procurement/middle/medium`, `procurement/middle`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Segments(Vec<String>);

impl Segments {
    /// By function and level of the persona, and by industry and size of its company.
    #[must_use]
    pub fn of(persona: &Persona, nace: Option<&str>, industry: Option<&str>, size: Size) -> Self {
        let (Some(function), Some(level)) = (persona.job_function.value, persona.seniority.value) else {
            return Self::default();
        };
        let position = format!("{function}/{}", group(level));
        let mut names = Vec::with_capacity(3);
        if let Some(size) = size.as_str() {
            names.extend(trade(nace, industry).map(|trade| format!("{position}/{trade}/{size}")));
            names.push(format!("{position}/{size}"));
        }
        names.push(position);
        Self(names)
    }

    /// Their names, narrowest first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether a value was found in one of them.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names().any(|n| n == name)
    }
}

/// The group of levels: `staff`, `middle` (leads a team, a department, a division) or `top`.
const fn group(level: Seniority) -> &'static str {
    match level {
        Seniority::Trainee | Seniority::Junior | Seniority::Professional | Seniority::Senior => "staff",
        Seniority::Lead | Seniority::Head | Seniority::Director => "middle",
        Seniority::Vp | Seniority::CLevel | Seniority::Owner | Seniority::Board => "top",
    }
}

/// The section of NACE, else the industry in the CRM's words.
fn trade(nace: Option<&str>, industry: Option<&str>) -> Option<String> {
    let section = nace.and_then(nace_section).map(|s| format!("nace {s}"));
    // A slash would look like a further part of the name.
    let words = || industry.map(|i| i.trim().to_lowercase().replace('/', " ")).filter(|i| !i.is_empty());
    section.or_else(words)
}

/// The section (A to U) of a NACE Rev. 2 code such as `28.1`, `2811` or `C28`; `None` for a code that is none.
#[must_use]
pub fn nace_section(code: &str) -> Option<char> {
    let code = code.trim();
    let first = code.chars().next()?.to_ascii_uppercase();
    if first.is_ascii_alphabetic() {
        return ('A'..='U').contains(&first).then_some(first);
    }
    let digits = code.bytes().take_while(u8::is_ascii_digit).count();
    // One digit is a division whose leading zero a spreadsheet took.
    let division: u8 = code.get(..digits.min(2))?.parse().ok()?;
    Some(match division {
        1..=3 => 'A',
        5..=9 => 'B',
        10..=33 => 'C',
        35 => 'D',
        36..=39 => 'E',
        41..=43 => 'F',
        45..=47 => 'G',
        49..=53 => 'H',
        55..=56 => 'I',
        58..=63 => 'J',
        64..=66 => 'K',
        68 => 'L',
        69..=75 => 'M',
        77..=82 => 'N',
        84 => 'O',
        85 => 'P',
        86..=88 => 'Q',
        90..=93 => 'R',
        94..=96 => 'S',
        97..=98 => 'T',
        99 => 'U',
        _ => return None,
    })
}
