//! Where on a page something stands.

use super::dom::{self, El};

/// A CSS path from the nearest ancestor with an id: `#team > div:nth-of-type(2) > h3:nth-of-type(1)`.
pub(super) fn css_path(e: El<'_>) -> String {
    let mut steps = Vec::new();
    let mut at = Some(e);
    while let Some(here) = at {
        if let Some(id) =
            dom::attr(here, "id").filter(|id| id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)))
        {
            steps.push(format!("#{id}"));
            break;
        }
        let tag = dom::name(here);
        if matches!(tag, "html" | "body") {
            steps.push(tag.to_owned());
            break;
        }
        steps.push(here.number().map_or_else(|| tag.to_owned(), |n| format!("{tag}:nth-of-type({n})")));
        at = dom::parent(here);
    }
    steps.reverse();
    steps.join(" > ")
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::extract::html::dom::Page;
    use crate::extract::html::limits::MAX_COUNTED;

    #[test]
    fn a_path_is_right_or_says_less() {
        let url = Url::parse("https://www.firma.example/").expect("valid");
        let page = Page::parse("<p id=q><b>yes</b>", &url);
        let b = page.elements().find(|e| dom::name(*e) == "b").expect("there is one");
        assert_eq!(css_path(b), "#q > b:nth-of-type(1)");
        let page = Page::parse(&"<p>x".repeat(MAX_COUNTED + 2), &url);
        let paths: Vec<String> = page.elements().filter(|e| dom::name(*e) == "p").map(css_path).collect();
        assert_eq!(paths[MAX_COUNTED], format!("body > p:nth-of-type({})", MAX_COUNTED + 1));
        assert_eq!(paths[MAX_COUNTED + 1], "body > p", "no number rather than a wrong one");
    }
}
