//! Occupation names of ESCO and O*NET with their job function, by ISCO-08 and SOC group.
//!
//! Invariant: a pure function of the two data sets and of the tables below.

use std::collections::BTreeSet;
use std::path::Path;

#[expect(clippy::enum_glob_use, reason = "two tables of nothing but functions")]
use prosopon::taxonomy::JobFunction::{self, *};

/// ISCO-08 prefix -> function; the longest prefix wins, `None` = no clear function or withheld (religion).
const ISCO: &[(&str, Option<JobFunction>)] = &[
    ("0", Some(PublicService)),
    ("1", None),
    ("111", Some(PublicService)),
    ("1112", Some(PublicService)),
    ("1113", None),
    ("1114", None),
    ("1120", Some(ExecutiveManagement)),
    ("1211", Some(FinanceControlling)),
    ("1212", Some(HumanResources)),
    ("1219", None),
    ("1221", None),
    ("1222", Some(MarketingCommunications)),
    ("1223", Some(EngineeringRnd)),
    ("131", Some(Other)),
    ("1321", Some(Production)),
    ("1322", Some(Production)),
    ("1323", Some(Production)),
    ("1324", Some(LogisticsSupplyChain)),
    ("1330", Some(It)),
    ("1342", Some(Healthcare)),
    ("1343", Some(Healthcare)),
    ("1345", Some(ResearchEducation)),
    ("1346", Some(FinanceControlling)),
    ("1349", None),
    ("141", Some(Other)),
    ("142", Some(Sales)),
    ("143", Some(Other)),
    ("211", Some(ResearchEducation)),
    ("212", None),
    ("213", Some(ResearchEducation)),
    ("2133", Some(SustainabilityEhs)),
    ("214", Some(EngineeringRnd)),
    ("2143", Some(SustainabilityEhs)),
    ("215", Some(EngineeringRnd)),
    ("216", Some(Other)),
    ("2161", Some(EngineeringRnd)),
    ("2163", Some(EngineeringRnd)),
    ("2164", Some(PublicService)),
    ("2166", Some(MarketingCommunications)),
    ("22", Some(Healthcare)),
    ("2263", Some(SustainabilityEhs)),
    ("23", Some(ResearchEducation)),
    ("241", Some(FinanceControlling)),
    ("2421", Some(Consulting)),
    ("2422", Some(PublicService)),
    ("2423", Some(HumanResources)),
    ("2424", Some(HumanResources)),
    ("2431", Some(MarketingCommunications)),
    ("2432", Some(MarketingCommunications)),
    ("2433", Some(Sales)),
    ("2434", Some(Sales)),
    ("25", Some(It)),
    ("261", Some(LegalCompliance)),
    ("262", Some(ResearchEducation)),
    ("263", Some(ResearchEducation)),
    ("2634", Some(Healthcare)),
    ("2635", Some(PublicService)),
    ("2636", None),
    ("264", Some(Other)),
    ("265", Some(Other)),
    ("311", Some(EngineeringRnd)),
    ("3115", Some(EngineeringRnd)),
    ("312", Some(Production)),
    ("313", Some(Production)),
    ("314", Some(ResearchEducation)),
    ("315", Some(LogisticsSupplyChain)),
    ("32", Some(Healthcare)),
    ("3257", Some(SustainabilityEhs)),
    ("331", Some(FinanceControlling)),
    ("3321", Some(Sales)),
    ("3322", Some(Sales)),
    ("3323", Some(Procurement)),
    ("3324", Some(Sales)),
    ("3331", Some(LogisticsSupplyChain)),
    ("3332", Some(MarketingCommunications)),
    ("3333", Some(HumanResources)),
    ("3334", Some(Sales)),
    ("3339", None),
    ("334", Some(AdministrationAssistance)),
    ("335", Some(PublicService)),
    ("3411", Some(LegalCompliance)),
    ("3412", Some(PublicService)),
    ("3413", None),
    ("342", Some(Other)),
    ("343", Some(Other)),
    ("35", Some(It)),
    ("41", Some(AdministrationAssistance)),
    ("421", Some(FinanceControlling)),
    ("4212", Some(Other)),
    ("422", Some(CustomerService)),
    ("4226", Some(AdministrationAssistance)),
    ("431", Some(FinanceControlling)),
    ("432", Some(LogisticsSupplyChain)),
    ("4322", Some(Production)),
    ("44", Some(AdministrationAssistance)),
    ("4416", Some(HumanResources)),
    ("4412", Some(LogisticsSupplyChain)),
    ("51", Some(Other)),
    ("515", Some(MaintenanceFacility)),
    ("52", Some(Sales)),
    ("53", Some(Healthcare)),
    ("531", Some(ResearchEducation)),
    ("54", Some(PublicService)),
    ("5414", Some(Other)),
    ("5419", Some(Other)),
    ("6", Some(Other)),
    ("71", Some(Production)),
    ("7126", Some(MaintenanceFacility)),
    ("7127", Some(MaintenanceFacility)),
    ("72", Some(Production)),
    ("723", Some(MaintenanceFacility)),
    ("73", Some(Production)),
    ("731", Some(Other)),
    ("74", Some(MaintenanceFacility)),
    ("742", Some(It)),
    ("75", Some(Production)),
    ("751", Some(Other)),
    ("753", Some(Other)),
    ("754", Some(Other)),
    ("81", Some(Production)),
    ("82", Some(Production)),
    ("83", Some(LogisticsSupplyChain)),
    ("8322", Some(Other)),
    ("8331", Some(Other)),
    ("834", Some(Other)),
    ("8344", Some(LogisticsSupplyChain)),
    ("91", Some(MaintenanceFacility)),
    ("92", Some(Other)),
    ("93", Some(Production)),
    ("933", Some(LogisticsSupplyChain)),
    ("94", Some(Other)),
    ("95", Some(Other)),
    ("96", Some(Other)),
];

/// SOC prefix -> function, in the same way.
const SOC: &[(&str, Option<JobFunction>)] = &[
    ("11", None),
    ("11-1011", Some(ExecutiveManagement)),
    ("11-1031", None),
    ("11-2011", Some(MarketingCommunications)),
    ("11-2021", Some(MarketingCommunications)),
    ("11-2022", Some(Sales)),
    ("11-203", Some(MarketingCommunications)),
    ("11-3012", Some(AdministrationAssistance)),
    ("11-3013", Some(MaintenanceFacility)),
    ("11-3021", Some(It)),
    ("11-3031", Some(FinanceControlling)),
    ("11-3051", Some(Production)),
    ("11-3061", Some(Procurement)),
    ("11-3071", Some(LogisticsSupplyChain)),
    ("11-31", Some(HumanResources)),
    ("11-9021", Some(Production)),
    ("11-903", Some(ResearchEducation)),
    ("11-9041", Some(EngineeringRnd)),
    ("11-9051", Some(Other)),
    ("11-9111", Some(Healthcare)),
    ("13-1011", Some(Other)),
    ("13-102", Some(Procurement)),
    ("13-103", Some(FinanceControlling)),
    ("13-1041", Some(LegalCompliance)),
    ("13-1051", None),
    ("13-1071", Some(HumanResources)),
    ("13-1075", Some(HumanResources)),
    ("13-1081", Some(LogisticsSupplyChain)),
    ("13-1082", Some(ProjectManagement)),
    ("13-1111", Some(Consulting)),
    ("13-1121", Some(MarketingCommunications)),
    ("13-1131", Some(MarketingCommunications)),
    ("13-1141", Some(HumanResources)),
    ("13-1151", Some(HumanResources)),
    ("13-1161", Some(MarketingCommunications)),
    ("13-2", Some(FinanceControlling)),
    ("15-12", Some(It)),
    ("15-2", Some(It)),
    ("15-2011", Some(FinanceControlling)),
    ("17", Some(EngineeringRnd)),
    ("17-2081", Some(SustainabilityEhs)),
    ("17-2111", Some(SustainabilityEhs)),
    ("19", Some(ResearchEducation)),
    ("19-5", Some(SustainabilityEhs)),
    ("19-204", Some(SustainabilityEhs)),
    ("21", Some(PublicService)),
    ("21-2", None),
    ("23", Some(LegalCompliance)),
    ("25", Some(ResearchEducation)),
    ("27", Some(Other)),
    ("27-1021", Some(EngineeringRnd)),
    ("27-1024", Some(MarketingCommunications)),
    ("27-3031", Some(MarketingCommunications)),
    ("29", Some(Healthcare)),
    ("31", Some(Healthcare)),
    ("33", Some(PublicService)),
    ("33-9", Some(Other)),
    ("35", Some(Other)),
    ("37", Some(MaintenanceFacility)),
    ("39", Some(Other)),
    ("41", Some(Sales)),
    ("43", Some(AdministrationAssistance)),
    ("43-3", Some(FinanceControlling)),
    ("43-3061", Some(Procurement)),
    ("43-4051", Some(CustomerService)),
    ("43-4161", Some(HumanResources)),
    ("43-4", None),
    ("43-4171", Some(AdministrationAssistance)),
    ("43-5", Some(LogisticsSupplyChain)),
    ("43-5061", Some(Production)),
    ("43-503", Some(PublicService)),
    ("45", Some(Other)),
    ("47", Some(Production)),
    ("47-2111", Some(MaintenanceFacility)),
    ("47-2152", Some(MaintenanceFacility)),
    ("49", Some(MaintenanceFacility)),
    ("51", Some(Production)),
    ("51-3", Some(Other)),
    ("51-6", Some(Other)),
    ("51-906", Some(Quality)),
    ("53", Some(LogisticsSupplyChain)),
    ("53-2", Some(Other)),
    ("53-3051", Some(Other)),
    ("53-3052", Some(Other)),
    ("53-3054", Some(Other)),
    ("53-6", Some(Other)),
    ("55", Some(PublicService)),
];

fn group(table: &[(&str, Option<JobFunction>)], code: &str) -> Option<JobFunction> {
    table.iter().filter(|(p, _)| code.starts_with(p)).max_by_key(|(p, _)| p.len()).and_then(|(_, f)| *f)
}

fn esco(dir: &Path, language: &str, names: &mut BTreeSet<(String, JobFunction)>) -> anyhow::Result<()> {
    let mut rows = csv::Reader::from_path(dir.join(format!("esco/occupations_{language}.csv")))?;
    for row in rows.records() {
        let row = row?;
        let Some(f) = group(ISCO, &row[2]) else { continue };
        for label in row[3].split('/').chain(row[4].lines()) {
            names.insert((label.trim().to_owned(), f));
        }
    }
    Ok(())
}

fn onet(dir: &Path, names: &mut BTreeSet<(String, JobFunction)>) -> anyhow::Result<()> {
    for file in ["alternate_titles.txt", "occupation_data.txt"] {
        let text = std::fs::read_to_string(dir.join("onet").join(file))?;
        for line in text.lines().skip(1) {
            let mut cells = line.split('\t');
            let (Some(code), Some(name)) = (cells.next(), cells.next()) else { continue };
            let Some(f) = group(SOC, code) else { continue };
            names.insert((name.split('(').next().unwrap_or(name).trim().to_owned(), f));
        }
    }
    Ok(())
}

/// All names of both data sets in `dir`, with their function.
pub fn names(dir: &Path) -> anyhow::Result<BTreeSet<(String, JobFunction)>> {
    let mut names = BTreeSet::new();
    esco(dir, "de", &mut names)?;
    esco(dir, "en", &mut names)?;
    onet(dir, &mut names)?;
    Ok(names)
}
