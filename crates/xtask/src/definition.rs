//! Reads the protocol's definitions: one page per API, each field with its type, versions, tag and default. Called by `generate`.
//!
//! ```text
//! api 1 Fetch                      key and name
//! flexible 12+                     first flexible version, or none
//! request 4-18                     versions; the same again for `response`, or `data NAME 0-3`
//!   max_wait_ms: int32             a field in all versions
//!   rack_id: string? 11+ = null    nullable, from version 11, null unless given
//!   topics: [FetchTopic]?1+        an array, nullable from version 1; its fields follow, indented
//!   cluster_id: string 12+ tag 0   a tagged field
//! ```

/// First and last version; `MAX` where there is no last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Versions {
    pub first: i16,
    pub last: i16,
}

const ALL: Versions = Versions {
    first: 0,
    last: i16::MAX,
};
const NONE: Versions = Versions {
    first: i16::MAX,
    last: -1,
};

#[derive(Clone, Debug)]
pub(crate) enum Type {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Int64,
    Float64,
    String,
    Uuid,
    Bytes,
    Records,
    Struct(String),
    Array(Box<Type>),
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub name: String,
    pub ty: Type,
    pub versions: Versions,
    /// Versions in which null is allowed.
    pub nullable: Option<Versions>,
    pub tag: Option<u32>,
    pub default: Option<String>,
    /// Written in the old encoding whatever the version.
    pub inflexible: bool,
    pub comment: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Struct {
    pub name: String,
    /// The versions of the message in which some field holds it.
    pub versions: Versions,
    pub fields: Vec<Field>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Request,
    Response,
    Data,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub role: Role,
    pub versions: Versions,
    /// First flexible version.
    pub flexible: Option<i16>,
    /// The message's own struct first, then those it is made of.
    pub structs: Vec<Struct>,
    pub comment: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// Key and name, unless the page holds data alone.
    pub api: Option<(i16, String)>,
    /// The last version that Kafka calls stable, where it is not the last.
    pub stable: Option<i16>,
    pub messages: Vec<Message>,
}

/// Where and why a page cannot be read.
#[derive(Debug)]
pub(crate) struct PageError(pub(crate) String);

struct Reader<'a> {
    page: Page,
    flexible: Option<i16>,
    /// Name and indentation of the structs that are open, outermost first.
    open: Vec<(usize, usize)>,
    comment: Vec<String>,
    line: &'a str,
}

pub(crate) fn read(text: &str) -> Result<Page, PageError> {
    let mut reader = Reader {
        page: Page::default(),
        flexible: None,
        open: Vec::new(),
        comment: Vec::new(),
        line: "",
    };
    for (number, line) in text.lines().enumerate() {
        reader.line = line;
        reader
            .line()
            .map_err(|reason| PageError(format!("line {}: {reason}: {line}", number + 1)))?;
    }
    for message in &mut reader.page.messages {
        message.spread_versions();
        message.check_versions().map_err(PageError)?;
    }
    Ok(reader.page)
}

impl Message {
    /// A field or a null that no version has is a slip of the pen.
    fn check_versions(&self) -> Result<(), String> {
        for one in &self.structs {
            for field in &one.fields {
                let held = field.versions.meet(one.versions);
                let null = field.nullable.unwrap_or(ALL).meet(held);
                if held.first > held.last || null.first > null.last {
                    return Err(format!("{}.{}: in no version", one.name, field.name));
                }
            }
        }
        Ok(())
    }

    /// Tells each struct the versions in which some field holds it, from the outermost inwards.
    fn spread_versions(&mut self) {
        for _ in 0..self.structs.len() {
            for owner in 0..self.structs.len() {
                let owner = self.structs[owner].clone();
                for field in &owner.fields {
                    let held = field.versions.meet(owner.versions);
                    let name = field.ty.struct_name();
                    for inner in self
                        .structs
                        .iter_mut()
                        .filter(|one| Some(one.name.as_str()) == name)
                    {
                        inner.versions = inner.versions.join(held);
                    }
                }
            }
        }
    }
}

impl Reader<'_> {
    fn line(&mut self) -> Result<(), String> {
        let text = self.line.trim();
        if text.is_empty() {
            return Ok(());
        }
        if let Some(comment) = text.strip_prefix('#') {
            self.comment.push(comment.trim().to_owned());
            return Ok(());
        }
        let indent = self.line.len() - self.line.trim_start().len();
        if indent > 0 {
            return self.field(indent / 2, text);
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["api", key, name] => {
                self.page.api = Some((key.parse().map_err(|_| "not a key")?, (*name).to_owned()));
                self.comment.clear();
            }
            ["flexible", versions] => {
                let first = if *versions == "none" {
                    None
                } else {
                    Some(read_versions(versions)?.first)
                };
                match self
                    .page
                    .messages
                    .last_mut()
                    .filter(|message| message.role == Role::Data)
                {
                    Some(message) => message.flexible = first,
                    None => self.flexible = first,
                }
            }
            ["stable", versions] => self.page.stable = Some(read_versions(versions)?.last),
            ["request", versions] => self.message(Role::Request, "Request", versions)?,
            ["response", versions] => self.message(Role::Response, "Response", versions)?,
            ["data", name, versions] => self.message(Role::Data, name, versions)?,
            _ => return Err("neither a heading nor a field".to_owned()),
        }
        Ok(())
    }

    fn message(&mut self, role: Role, name: &str, versions: &str) -> Result<(), String> {
        let name = match (&self.page.api, role) {
            (Some((_, api)), Role::Request | Role::Response) => format!("{api}{name}"),
            _ => name.to_owned(),
        };
        let versions = read_versions(versions)?;
        let own = Struct {
            name,
            versions,
            fields: Vec::new(),
        };
        self.page.messages.push(Message {
            role,
            versions,
            flexible: self.flexible,
            structs: vec![own],
            comment: std::mem::take(&mut self.comment),
        });
        self.open = vec![(0, 1)];
        Ok(())
    }

    fn field(&mut self, depth: usize, text: &str) -> Result<(), String> {
        let message = self
            .page
            .messages
            .last_mut()
            .ok_or("a field before any message")?;
        self.open.retain(|(_, at)| *at <= depth);
        let Some((owner, at)) = self.open.last().copied() else {
            return Err("indented wrongly".to_owned());
        };
        if depth != at {
            return Err("indented wrongly".to_owned());
        }
        let mut field = read_field(text)?;
        field.comment = std::mem::take(&mut self.comment);
        if let Some(name) = field.ty.struct_name()
            && !message.structs.iter().any(|known| known.name == name)
        {
            message.structs.push(Struct {
                name: name.to_owned(),
                versions: NONE,
                fields: Vec::new(),
            });
            self.open.push((message.structs.len() - 1, depth + 1));
        }
        message.structs[owner].fields.push(field);
        Ok(())
    }
}

fn read_field(text: &str) -> Result<Field, String> {
    let (name, rest) = text.split_once(':').ok_or("a field needs a type")?;
    let (rest, default) = match rest.split_once(" = ") {
        Some((rest, default)) => (rest, Some(default.trim().to_owned())),
        None => (rest, None),
    };
    let mut words = rest.split_whitespace();
    let ty = words.next().ok_or("a field needs a type")?;
    let (ty, null) = match ty.split_once('?') {
        Some((ty, versions)) => (ty, Some(versions)),
        None => (ty, None),
    };
    let nullable = match null {
        None => None,
        Some("") => Some(ALL),
        Some(versions) => Some(read_versions(versions)?),
    };
    let mut field = Field {
        name: name.to_owned(),
        ty: read_type(ty)?,
        versions: ALL,
        nullable,
        tag: None,
        default,
        inflexible: false,
        comment: Vec::new(),
    };
    while let Some(word) = words.next() {
        match word {
            "tag" => field.tag = words.next().and_then(|tag| tag.parse().ok()),
            "inflexible" => field.inflexible = true,
            versions => field.versions = read_versions(versions)?,
        }
    }
    Ok(field)
}

fn read_versions(text: &str) -> Result<Versions, String> {
    let number = |text: &str| {
        text.parse::<i16>()
            .map_err(|_| format!("'{text}' is no version"))
    };
    if let Some(first) = text.strip_suffix('+') {
        return Ok(Versions {
            first: number(first)?,
            last: i16::MAX,
        });
    }
    match text.split_once('-') {
        Some((first, last)) => Ok(Versions {
            first: number(first)?,
            last: number(last)?,
        }),
        None => Ok(Versions {
            first: number(text)?,
            last: number(text)?,
        }),
    }
}

fn read_type(text: &str) -> Result<Type, String> {
    if let Some(element) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return Ok(Type::Array(Box::new(read_type(element)?)));
    }
    Ok(match text {
        "bool" => Type::Bool,
        "int8" => Type::Int8,
        "int16" => Type::Int16,
        "uint16" => Type::Uint16,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "float64" => Type::Float64,
        "string" => Type::String,
        "uuid" => Type::Uuid,
        "bytes" => Type::Bytes,
        "records" => Type::Records,
        name if name.starts_with(|c: char| c.is_ascii_uppercase()) => Type::Struct(name.to_owned()),
        other => return Err(format!("no type '{other}'")),
    })
}

impl Type {
    /// The struct that the type is, or is an array of.
    pub(crate) fn struct_name(&self) -> Option<&str> {
        match self {
            Type::Struct(name) => Some(name),
            Type::Array(element) => element.struct_name(),
            _ => None,
        }
    }
}

impl Versions {
    pub(crate) fn contains(self, other: Versions) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    pub(crate) fn meet(self, other: Versions) -> Versions {
        Versions {
            first: self.first.max(other.first),
            last: self.last.min(other.last),
        }
    }

    /// From the first of both to the last of both.
    fn join(self, other: Versions) -> Versions {
        if other.first > other.last {
            return self;
        }
        Versions {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }

    /// The condition on `version` within `valid`; empty where it always holds.
    pub(crate) fn condition(self, valid: Versions) -> String {
        let Versions { first, last } = self;
        match (first > valid.first, last < valid.last) {
            (false, false) => String::new(),
            (true, false) => format!("version >= {first}"),
            (false, true) => format!("version <= {last}"),
            (true, true) if first == last => format!("version == {first}"),
            (true, true) => format!("({first}..={last}).contains(&version)"),
        }
    }
}
