//! Our tokens against `html5ever`'s.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use proptest::prelude::*;

use super::feed;

/// Keeps the tokens as text, neighbouring characters together; switches to raw text as a tree builder would.
#[derive(Default)]
struct Log {
    tokens: RefCell<Vec<String>>,
    text: RefCell<String>,
    foreign: bool,
}

impl Log {
    fn flush(&self) {
        let text = std::mem::take(&mut *self.text.borrow_mut());
        if !text.is_empty() {
            self.tokens.borrow_mut().push(format!("{text:?}"));
        }
    }
}

impl TokenSink for Log {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match &token {
            Token::CharacterTokens(text) => {
                self.text.borrow_mut().push_str(text);
                return TokenSinkResult::Continue;
            }
            Token::ParseError(_) => return TokenSinkResult::Continue,
            _ => self.flush(),
        }
        self.tokens.borrow_mut().push(written(&token));
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        match &*tag.name {
            _ if tag.kind == TagKind::EndTag || self.foreign => TokenSinkResult::Continue,
            "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
            "style" | "xmp" => TokenSinkResult::RawData(RawKind::Rawtext),
            "script" => TokenSinkResult::RawData(RawKind::ScriptData),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.foreign
    }
}

/// A token without the way in which its texts are kept.
fn written(token: &Token) -> String {
    let kept = |text: &Option<StrTendril>| text.as_ref().map(ToString::to_string);
    match token {
        Token::TagToken(tag) => {
            let attrs: Vec<String> = tag.attrs.iter().map(|a| format!("{}={:?}", a.name.local, &*a.value)).collect();
            format!("{:?} {} {attrs:?} {}", tag.kind, tag.name, tag.self_closing)
        }
        Token::CommentToken(text) => format!("comment {:?}", &**text),
        Token::DoctypeToken(d) => {
            format!("{:?} {:?} {:?} {}", kept(&d.name), kept(&d.public_id), kept(&d.system_id), d.force_quirks)
        }
        other => format!("{other:?}"),
    }
}

fn ours(html: &str, foreign: bool) -> Vec<String> {
    let log = Log { foreign, ..Log::default() };
    feed(html, &log, &|_| false);
    log.flush();
    log.tokens.into_inner()
}

fn theirs(html: &str, foreign: bool) -> Vec<String> {
    let tokenizer = Tokenizer::new(Log { foreign, ..Log::default() }, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let _done = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.flush();
    tokenizer.sink.tokens.into_inner()
}

#[test]
fn the_corners_of_the_standard() {
    for html in [
        "<!-->a<!--->b<!---->c<!--x--!>d<!--a--!-->e<!----!>f<!--<!-- x -->g<!--a\0-->h<!--a---",
        "<!--a--!",
        "<!x><?php y ?></ z></><><1<",
        "</",
        "<!",
        "<!doctype html public 'a>b' \"c\"><!DOCTYPE><!doctype x",
        "<p =a==b / c='&amp;&copy=1&copy;&notit;' D=\"x\0\" d=2 e=f>g/><br/><i / >",
        "<a href=/x?y&lt=1&amp=2&para z=&#x80;&#0;&#xD800;&#x110000;&#13;&#;&#x;&#65 >t&ampx&notin;&notit;&nosuch;&",
        "<script>a<!--<script>b</script>c--></script>d<script><!--</script><script><!--><script></script>",
        "<script>x</scriptx></SCRIPT >y<title>&lt;</titl></title\n>z<style>a&amp;\0</style><plaintext>&\0<b>",
        "<textarea>a</textarea",
        "<script><!--<script>",
        "a\0b\r\nc\rd<![CDATA[x]]]>y<![CDATA[z\0",
        "\u{FEFF}\u{FEFF}a",
        "<é>< p><pé a\u{c}b>",
        "<p a=",
        "<p a= ",
        "<p a/",
        "&#9999999999999;&#x;&am",
    ] {
        for foreign in [false, true] {
            assert_eq!(ours(html, foreign), theirs(html, foreign), "{html:?}");
        }
    }
}

fn soup() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "<",
        ">",
        "/",
        "!",
        "--",
        "-",
        "=",
        "'",
        "\"",
        "&",
        "#",
        "x",
        ";",
        " ",
        "\n",
        "\r",
        "\0",
        "p",
        "A",
        "1",
        "é",
        "<p ",
        "</p>",
        "<!--",
        "-->",
        "<script>",
        "</script",
        "<script",
        "<title>",
        "</title>",
        "<style>",
        "</style>",
        "<![CDATA[",
        "]]>",
        "<!doctype",
        "<?",
        "&amp;",
        "&not",
        "in;",
        "&#x",
        "8",
        "public",
        "<plaintext>",
        "&lt",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|t| t.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn soup_gives_the_tokens_of_the_library(html in soup(), foreign: bool) {
        prop_assert_eq!(ours(&html, foreign), theirs(&html, foreign));
    }

    #[test]
    fn any_text_gives_the_tokens_of_the_library(html in "\\PC{0,60}", foreign: bool) {
        prop_assert_eq!(ours(&html, foreign), theirs(&html, foreign));
    }
}
