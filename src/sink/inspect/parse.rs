//! The filter language: text to syntax tree, every error with its place.
//!
//! ```text
//! expr    = and { "or" and }          and  = unary { "and" unary }
//! unary   = "not" unary | "(" expr ")" | test
//! test    = path "[" expr "]"                        one element of the list fits all of it
//!         | path ("=" | "!=" | "<>" | "<" | "<=" | ">" | ">=") literal
//!         | path ["not"] ("in" "(" literal {"," literal} ")" | ("like" | "ilike") text)
//!         | path "is" ["not"] "null"
//! path    = name {"." name}           literal = 'text' | number | true | false
//! ```
//!
//! Invariant: nesting is bounded, so no filter can exhaust the stack.

use std::cmp::Ordering;

/// A filter, as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Element(Path, Box<Self>),
    Test(Path, Test),
}

/// What is asked of a value; negations are [`Expr::Not`].
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Compare(Compare, Literal),
    In(Vec<Literal>),
    Like { pattern: Literal, any_case: bool },
    Null,
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Compare {
    /// Whether the comparison holds for how the value stands to the literal.
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// A column, or a field of the structs in it. `at` = zero-based character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub parts: Vec<(String, usize)>,
}

/// A value in the filter. `at` = zero-based character.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Literal {
    pub value: Value,
    pub at: usize,
}

/// What a literal says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(f64),
    Bool(bool),
}

/// A mistake at a zero-based character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    pub at: usize,
    pub message: String,
}

impl Mistake {
    pub(super) fn new<T>(at: usize, message: impl Into<String>) -> Result<T, Self> {
        Err(Self { at, message: message.into() })
    }
}

const MAX_DEPTH: usize = 64;
const MAX_CHARS: usize = 10_000;

/// Reads a filter.
pub(super) fn parse(text: &str) -> Result<Expr, Mistake> {
    if text.chars().count() > MAX_CHARS {
        return Mistake::new(0, format!("the filter is longer than {MAX_CHARS} characters"));
    }
    let tokens = lex(text)?;
    let mut parser = Parser { end: text.chars().count(), tokens, next: 0, depth: 0 };
    let expr = parser.or()?;
    match parser.peek() {
        None => Ok(expr),
        Some(Token::Symbol(")" | "]")) => Mistake::new(parser.at(), "this closes nothing"),
        Some(_) => Mistake::new(parser.at(), "expected `and`, `or` or the end"),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Number(f64),
    Symbol(&'static str),
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 13] = ["!=", "<>", "<=", ">=", "==", "=", "<", ">", "(", ")", "[", "]", ","];

fn lex(text: &str) -> Result<Vec<(Token, usize)>, Mistake> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut i = 0;
    while let Some(&c) = chars.get(i) {
        let start = i;
        let token = if c.is_whitespace() {
            i += 1;
            continue;
        } else if c == '\'' || c == '"' {
            let (value, end) = quoted(&chars, i)?;
            i = end;
            Token::Text(value)
        } else if c.is_ascii_digit()
            || (matches!(c, '-' | '+' | '.') && chars.get(i + 1).is_some_and(char::is_ascii_digit))
        {
            i = number_end(&chars, i);
            let written: String = chars[start..i].iter().collect();
            match written.parse::<f64>() {
                Ok(v) if v.is_finite() => Token::Number(v),
                _ => return Mistake::new(start, format!("{written} is no number; dates and texts stand in '...'")),
            }
        } else if c.is_alphabetic() || c == '_' {
            while chars.get(i).is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.')) {
                i += 1;
            }
            Token::Word(chars[start..i].iter().collect())
        } else if let Some(symbol) =
            SYMBOLS.iter().find(|s| s.chars().enumerate().all(|(k, s)| chars.get(i + k) == Some(&s)))
        {
            i += symbol.len();
            Token::Symbol(symbol)
        } else {
            return Mistake::new(start, format!("{:?} has no meaning here", c.to_string()));
        };
        tokens.push((token, start));
    }
    Ok(tokens)
}

/// The text between quotes; a doubled quote stands for one.
fn quoted(chars: &[char], start: usize) -> Result<(String, usize), Mistake> {
    let quote = chars[start];
    let mut value = String::new();
    let mut i = start + 1;
    loop {
        match chars.get(i) {
            Some(c) if *c == quote && chars.get(i + 1) == Some(&quote) => {
                value.push(quote);
                i += 2;
            }
            Some(c) if *c == quote => return Ok((value, i + 1)),
            Some(c) => {
                value.push(*c);
                i += 1;
            }
            None => return Mistake::new(start, format!("the text that begins here has no closing {quote}")),
        }
    }
}

fn number_end(chars: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while let Some(c) = chars.get(i) {
        // Dates run on, so that the message can say that they stand in quotes.
        if !(c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ':')) {
            break;
        }
        i += 1;
    }
    i
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    depth: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(t, _)| t)
    }

    /// Where the next token, or the end, is.
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(_, at)| *at)
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(s)) if *s == symbol);
        self.next += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Expr, Mistake> {
        let mut left = self.and()?;
        while self.keyword("or") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Mistake> {
        let mut left = self.unary()?;
        while self.keyword("and") {
            left = Expr::And(Box::new(left), Box::new(self.unary()?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, Mistake> {
        let at = self.at();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Mistake::new(at, format!("the filter is nested deeper than {MAX_DEPTH}"));
        }
        let expr = if self.keyword("not") {
            Expr::Not(Box::new(self.unary()?))
        } else if self.symbol("(") {
            let inner = self.or()?;
            self.close(")", at)?;
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn close(&mut self, symbol: &'static str, opened: usize) -> Result<(), Mistake> {
        if self.symbol(symbol) {
            return Ok(());
        }
        Mistake::new(self.at(), format!("expected {symbol}, opened at column {}", opened + 1))
    }

    fn test(&mut self) -> Result<Expr, Mistake> {
        let path = self.path()?;
        let at = self.at();
        if self.symbol("[") {
            let inner = self.or()?;
            self.close("]", at)?;
            return Ok(Expr::Element(path, Box::new(inner)));
        }
        if self.keyword("is") {
            let not = self.keyword("not");
            if !self.keyword("null") {
                return Mistake::new(self.at(), "expected `null` or `not null` after `is`");
            }
            return Ok(negate(not, Expr::Test(path, Test::Null)));
        }
        let not = self.keyword("not");
        let test = if self.keyword("in") {
            Test::In(self.list()?)
        } else if self.keyword("like") {
            Test::Like { pattern: self.literal()?, any_case: false }
        } else if self.keyword("ilike") {
            Test::Like { pattern: self.literal()?, any_case: true }
        } else if not {
            return Mistake::new(self.at(), "expected `in` or `like` after `not`");
        } else {
            return self.compare(path);
        };
        Ok(negate(not, Expr::Test(path, test)))
    }

    fn compare(&mut self, path: Path) -> Result<Expr, Mistake> {
        let at = self.at();
        let (not, compare) = match self.peek() {
            Some(Token::Symbol("=" | "==")) => (false, Compare::Equal),
            Some(Token::Symbol("!=" | "<>")) => (true, Compare::Equal),
            Some(Token::Symbol("<")) => (false, Compare::Less),
            Some(Token::Symbol("<=")) => (false, Compare::LessOrEqual),
            Some(Token::Symbol(">")) => (false, Compare::Greater),
            Some(Token::Symbol(">=")) => (false, Compare::GreaterOrEqual),
            _ => return Mistake::new(at, "expected one of = != < <= > >=, `in (...)`, `like`, `is null`, `[...]`"),
        };
        self.next += 1;
        let literal = self.literal()?;
        Ok(negate(not, Expr::Test(path, Test::Compare(compare, literal))))
    }

    fn path(&mut self) -> Result<Path, Mistake> {
        let at = self.at();
        let Some(Token::Word(word)) = self.peek() else {
            return Mistake::new(at, "expected the name of a column");
        };
        let mut parts = Vec::new();
        let mut start = at;
        for part in word.split('.') {
            if part.is_empty() {
                return Mistake::new(start, "a name is missing beside the dot");
            }
            parts.push((part.to_owned(), start));
            start += part.chars().count() + 1;
        }
        self.next += 1;
        Ok(Path { parts })
    }

    fn list(&mut self) -> Result<Vec<Literal>, Mistake> {
        let at = self.at();
        if !self.symbol("(") {
            return Mistake::new(at, "expected ( after `in`");
        }
        let mut all = vec![self.literal()?];
        while self.symbol(",") {
            all.push(self.literal()?);
        }
        self.close(")", at)?;
        Ok(all)
    }

    fn literal(&mut self) -> Result<Literal, Mistake> {
        let at = self.at();
        let value = match self.peek() {
            Some(Token::Text(t)) => Value::Text(t.clone()),
            Some(Token::Number(n)) => Value::Number(*n),
            Some(Token::Word(w)) if w.eq_ignore_ascii_case("true") => Value::Bool(true),
            Some(Token::Word(w)) if w.eq_ignore_ascii_case("false") => Value::Bool(false),
            Some(Token::Word(w)) if w.eq_ignore_ascii_case("null") => {
                return Mistake::new(at, "nothing equals null; write `is null`");
            }
            Some(Token::Word(w)) => return Mistake::new(at, format!("texts stand in quotes: '{w}'")),
            _ => return Mistake::new(at, "expected a value: 'text' or a number"),
        };
        self.next += 1;
        Ok(Literal { value, at })
    }
}

fn negate(not: bool, expr: Expr) -> Expr {
    if not { Expr::Not(Box::new(expr)) } else { expr }
}
