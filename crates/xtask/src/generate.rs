//! `cargo xtask generate`: writes `crates/protocol/src/messages/` from the definitions; with `--check` only tells what is stale.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{fs, io::Write as _};

use crate::definition::{self, Field, Message, Page, Role, Struct, Type, Versions};

const DEFINITIONS: &str = "crates/protocol/definitions";
const MESSAGES: &str = "crates/protocol/src/messages";
const ARBITRARY: &str = "crates/protocol/tests/oracle/arbitrary.rs";

/// Writes what is stale; with `check` fails instead.
pub(crate) fn run(root: &Path, check: bool) -> Result<(), String> {
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(root.join(DEFINITIONS)).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let name = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default()
            .to_owned();
        let page =
            definition::read(&text).map_err(|error| format!("{}: {}", path.display(), error.0))?;
        pages.insert(name, page);
    }
    let mut files = BTreeMap::new();
    for (name, page) in &pages {
        files.insert(
            format!("{MESSAGES}/{}.rs", module(name)),
            format_code(&messages_file(name, page))?,
        );
    }
    files.insert(
        format!("{MESSAGES}/mod.rs"),
        format_code(&root_file(&pages))?,
    );
    files.insert(
        ARBITRARY.to_owned(),
        format_code(&crate::arbitrary::file(&pages))?,
    );
    for (path, code) in files {
        let path = root.join(path);
        if fs::read_to_string(&path).is_ok_and(|old| old == code) {
            continue;
        }
        if check {
            return Err(format!(
                "{} is stale: run `cargo xtask generate`",
                path.display()
            ));
        }
        fs::create_dir_all(path.parent().unwrap_or(root)).map_err(|error| error.to_string())?;
        fs::write(&path, code).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// `001_fetch` is the module `fetch`.
pub(crate) fn module(page: &str) -> &str {
    page.trim_start_matches(|c: char| c.is_ascii_digit() || c == '_')
}

fn format_code(code: &str) -> Result<String, String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", "max_width=100"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("rustfmt: {error}"))?;
    let mut stdin = rustfmt.stdin.take().ok_or("rustfmt takes no input")?;
    let code = code.to_owned();
    // Written from a thread, as rustfmt answers before it has read all.
    let writer = std::thread::scope(|scope| {
        let writing = scope.spawn(move || stdin.write_all(code.as_bytes()));
        let output = rustfmt.wait_with_output();
        let _ = writing.join();
        output
    });
    let output = writer.map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err("rustfmt refused generated code".to_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

fn messages_file(name: &str, page: &Page) -> String {
    let mut out = String::new();
    let title = page.api.as_ref().map_or_else(
        || module(name).to_owned(),
        |(key, api)| format!("{api} (key {key})"),
    );
    let _ = writeln!(
        out,
        "//! {title}: generated from `definitions/{name}.txt` by `cargo xtask generate`.\n"
    );
    out.push_str("use super::prelude::*;\n\n");
    let mut done: Vec<&str> = Vec::new();
    for message in &page.messages {
        for (at, one) in message.structs.iter().enumerate() {
            if done.contains(&one.name.as_str()) {
                continue;
            }
            done.push(&one.name);
            write_struct(&mut out, message, one, at == 0);
        }
        write_message(&mut out, page, message);
    }
    out
}

fn write_struct(out: &mut String, message: &Message, one: &Struct, is_message: bool) {
    if is_message {
        message
            .comment
            .iter()
            .for_each(|line| out.push_str(&format!("/// {line}\n")));
    }
    let _ = writeln!(
        out,
        "#[derive(Clone, Debug, PartialEq)]\npub struct {} {{",
        one.name
    );
    for field in &one.fields {
        field
            .comment
            .iter()
            .for_each(|line| out.push_str(&format!("/// {line}\n")));
        let _ = writeln!(out, "pub {}: {},", field.name, rust_type(field));
    }
    let _ = writeln!(
        out,
        "}}\n\nimpl Default for {} {{ fn default() -> Self {{ Self {{",
        one.name
    );
    for field in &one.fields {
        let _ = writeln!(out, "{}: {},", field.name, default(field));
    }
    let _ = writeln!(out, "}} }} }}\n\nimpl {} {{", one.name);
    write_read(out, message, one);
    write_write(out, message, one);
    out.push_str("}\n\n");
}

fn flexible_let(message: &Message, used: bool) -> String {
    match message.flexible {
        _ if !used => String::new(),
        None => "let flexible = false;\n".to_owned(),
        Some(first) if first <= message.versions.first => "let flexible = true;\n".to_owned(),
        Some(first) => format!("let flexible = version >= {first};\n"),
    }
}

fn write_read(out: &mut String, message: &Message, one: &Struct) {
    let mut body = String::new();
    for field in one.fields.iter().filter(|field| field.tag.is_none()) {
        if let Some(condition) = condition(field, message) {
            let _ = writeln!(
                body,
                "{condition} it.{} = {}; {}",
                field.name,
                read_value(field, message),
                close(&condition)
            );
        }
    }
    if message.flexible.is_some() {
        read_tags(&mut body, message, one);
    }
    let flexible = flexible_let(message, body.contains("flexible"));
    let _ = writeln!(
        out,
        "pub fn read(input: &mut Decoder, {}: i16) -> Result<Self, DecodeError> {{ {flexible} let mut it = Self::default();\n{body} Ok(it) }}",
        version_name(&body, &flexible)
    );
}

fn read_tags(body: &mut String, message: &Message, one: &Struct) {
    let mut arms = String::new();
    for field in one.fields.iter().filter(|field| field.tag.is_some()) {
        let versions = field.versions.condition(message.versions);
        let guard = if versions.is_empty() {
            versions
        } else {
            format!("if {versions}")
        };
        let _ = writeln!(
            arms,
            "{} {guard} => it.{} = {},",
            field.tag.unwrap_or_default(),
            field.name,
            read_value(field, message)
        );
    }
    body.push_str(&match arms.is_empty() {
        true => "if flexible { input.tags(|_, _| Ok(false))?; }\n".to_owned(),
        false => format!("if flexible {{ input.tags(|tag, input| {{ match tag {{ {arms} _ => return Ok(false), }} Ok(true) }})?; }}\n"),
    });
}

/// The parameter is there for all structs alike; some do not look at it.
fn version_name(body: &str, flexible: &str) -> &'static str {
    if body.contains("version") || flexible.contains("version") {
        "version"
    } else {
        "_version"
    }
}

fn write_write(out: &mut String, message: &Message, one: &Struct) {
    let mut body = String::new();
    for field in one.fields.iter().filter(|field| field.tag.is_none()) {
        if let Some(condition) = condition(field, message) {
            let _ = writeln!(
                body,
                "{condition} {} {}",
                write_value(field, message),
                close(&condition)
            );
        }
    }
    if message.flexible.is_some() {
        let mut tagged: Vec<&Field> = one
            .fields
            .iter()
            .filter(|field| field.tag.is_some())
            .collect();
        tagged.sort_by_key(|field| field.tag);
        body.push_str("if flexible {\n");
        if tagged.is_empty() {
            body.push_str("out.uvarint(0);\n");
        } else {
            body.push_str("let mut tags = 0;\n");
            for field in &tagged {
                let _ = writeln!(body, "if {} {{ tags += 1; }}", is_set(field, message));
            }
            body.push_str("out.uvarint(tags);\n");
            for field in &tagged {
                let tag = field.tag.unwrap_or_default();
                let _ = writeln!(
                    body,
                    "if {} {{ out.tag({tag}, |out| {{ {} }}); }}",
                    is_set(field, message),
                    write_value(field, message)
                );
            }
        }
        body.push_str("}\n");
    }
    let flexible = flexible_let(message, body.contains("flexible"));
    let _ = writeln!(
        out,
        "\npub fn write(&self, out: &mut Encoder, {}: i16) {{ {flexible} {body} }}",
        version_name(&body, &flexible)
    );
}

/// A tagged field is sent when the version has it and it is not what a reader would assume.
fn is_set(field: &Field, message: &Message) -> String {
    let versions = field.versions.condition(message.versions);
    let differs = match default(field).as_str() {
        "None" => format!("self.{}.is_some()", field.name),
        "false" => format!("self.{}", field.name),
        "true" => format!("!self.{}", field.name),
        "Vec::new()" => format!("!self.{}.is_empty()", field.name),
        value => format!("self.{} != {value}", field.name),
    };
    if versions.is_empty() {
        differs
    } else {
        format!("{versions} && {differs}")
    }
}

/// `if ... {` for a field of some versions, nothing for one of all; `None` where the message never has it.
fn condition(field: &Field, message: &Message) -> Option<String> {
    if field.versions.last < message.versions.first || field.versions.first > message.versions.last
    {
        return None;
    }
    let condition = field.versions.condition(message.versions);
    Some(if condition.is_empty() {
        condition
    } else {
        format!("if {condition} {{")
    })
}

fn close(condition: &str) -> &'static str {
    if condition.is_empty() { "" } else { "}" }
}

pub(crate) fn rust_type(field: &Field) -> String {
    let inner = plain_type(&field.ty);
    let nullable = field.nullable.is_some() || matches!(field.ty, Type::Records);
    if nullable {
        format!("Option<{inner}>")
    } else {
        inner
    }
}

fn plain_type(ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::Int8 => "i8".to_owned(),
        Type::Int16 => "i16".to_owned(),
        Type::Uint16 => "u16".to_owned(),
        Type::Int32 => "i32".to_owned(),
        Type::Int64 => "i64".to_owned(),
        Type::Float64 => "f64".to_owned(),
        Type::String => "KafkaString".to_owned(),
        Type::Uuid => "Uuid".to_owned(),
        Type::Bytes => "Bytes".to_owned(),
        Type::Records => "Records".to_owned(),
        Type::Struct(name) => name.clone(),
        Type::Array(element) => format!("Vec<{}>", plain_type(element)),
    }
}

/// A field's value in versions that do not have it, and in `Default`.
fn default(field: &Field) -> String {
    let nullable = rust_type(field).starts_with("Option");
    let text = field.default.as_deref();
    if nullable && (text == Some("null") || matches!(field.ty, Type::Records | Type::Bytes)) {
        return "None".to_owned();
    }
    let plain = match (&field.ty, text) {
        (Type::String, Some(text)) => format!("KafkaString::from_static({text:?})"),
        (Type::Float64, Some(text)) => format!("{text}f64"),
        (_, Some(text)) => text.to_owned(),
        (Type::Bool, None) => "false".to_owned(),
        (Type::Float64, None) => "0.0".to_owned(),
        (Type::String, None) => "KafkaString::from_static(\"\")".to_owned(),
        (Type::Uuid, None) => "Uuid::ZERO".to_owned(),
        (Type::Bytes, None) => "Bytes::new()".to_owned(),
        (Type::Records, None) => "Records::default()".to_owned(),
        (Type::Array(_), None) => "Vec::new()".to_owned(),
        (Type::Struct(name), None) => format!("{name}::default()"),
        (_, None) => "0".to_owned(),
    };
    if nullable {
        format!("Some({plain})")
    } else {
        plain
    }
}

/// Versions where null is allowed, of those where the field is: all, none, or a condition.
enum Null {
    Always,
    Never,
    When(String),
}

fn null_rule(field: &Field, message: &Message) -> Null {
    let (first, last) = (
        field.versions.first.max(message.versions.first),
        field.versions.last.min(message.versions.last),
    );
    let present = Versions { first, last };
    match field.nullable {
        None => Null::Never,
        Some(nullable) if nullable.contains(present) => Null::Always,
        Some(nullable) => Null::When(nullable.condition(present)),
    }
}

fn flexible_word(field: &Field) -> &'static str {
    if field.inflexible {
        "false"
    } else {
        "flexible"
    }
}

fn read_value(field: &Field, message: &Message) -> String {
    let flexible = flexible_word(field);
    let (plain, nullable) = match &field.ty {
        Type::Bool => ("input.bool()?".to_owned(), String::new()),
        Type::Int8 => ("input.i8()?".to_owned(), String::new()),
        Type::Int16 => ("input.i16()?".to_owned(), String::new()),
        Type::Uint16 => ("input.u16()?".to_owned(), String::new()),
        Type::Int32 => ("input.i32()?".to_owned(), String::new()),
        Type::Int64 => ("input.i64()?".to_owned(), String::new()),
        Type::Float64 => ("input.f64()?".to_owned(), String::new()),
        Type::Uuid => ("input.uuid()?".to_owned(), String::new()),
        Type::String => (
            format!("input.string({flexible})?"),
            format!("input.nullable_string({flexible})?"),
        ),
        Type::Bytes => (
            format!("input.bytes({flexible})?"),
            format!("input.nullable_bytes({flexible})?"),
        ),
        Type::Records => return format!("input.nullable_records({flexible})?"),
        Type::Struct(name) => (
            format!("{name}::read(input, version)?"),
            format!("input.nullable(|input| {name}::read(input, version))?"),
        ),
        Type::Array(element) => {
            let one = read_element(element, flexible);
            (
                format!("input.array({flexible}, |input| {one})?"),
                format!("input.nullable_array({flexible}, |input| {one})?"),
            )
        }
    };
    match null_rule(field, message) {
        Null::Never => plain,
        Null::Always => nullable,
        Null::When(condition) => {
            format!("if {condition} {{ {nullable} }} else {{ Some({plain}) }}")
        }
    }
}

fn read_element(element: &Type, flexible: &str) -> String {
    match element {
        Type::Struct(name) => format!("{name}::read(input, version)"),
        Type::String => format!("input.string({flexible})"),
        Type::Bytes => format!("input.bytes({flexible})"),
        Type::Bool => "input.bool()".to_owned(),
        Type::Int8 => "input.i8()".to_owned(),
        Type::Int16 => "input.i16()".to_owned(),
        Type::Int32 => "input.i32()".to_owned(),
        Type::Int64 => "input.i64()".to_owned(),
        Type::Uuid => "input.uuid()".to_owned(),
        other => format!("compile_error!(\"array of {other:?}\")"),
    }
}

fn write_value(field: &Field, message: &Message) -> String {
    let flexible = flexible_word(field);
    let name = &field.name;
    let scalar = |method: &str| (format!("out.{method}(self.{name});"), String::new());
    let (plain, nullable) = match &field.ty {
        Type::Bool => scalar("bool"),
        Type::Int8 => scalar("i8"),
        Type::Int16 => scalar("i16"),
        Type::Uint16 => scalar("u16"),
        Type::Int32 => scalar("i32"),
        Type::Int64 => scalar("i64"),
        Type::Float64 => scalar("f64"),
        Type::Uuid => scalar("uuid"),
        Type::String => (
            format!(
                "out.string({flexible}, {});",
                or_empty(field, "as_deref().unwrap_or_default()")
            ),
            format!("out.nullable_string({flexible}, self.{name}.as_deref());"),
        ),
        Type::Bytes => (
            format!(
                "out.bytes({flexible}, {});",
                or_empty(field, "as_deref().unwrap_or_default()")
            ),
            format!("out.nullable_bytes({flexible}, self.{name}.as_deref());"),
        ),
        Type::Records => return format!("out.nullable_records({flexible}, self.{name}.as_ref());"),
        Type::Struct(_) => (
            format!("self.{name}.write(out, version);"),
            format!("out.nullable(self.{name}.as_ref(), |out, it| {{ it.write(out, version); }});"),
        ),
        Type::Array(element) => {
            let one = write_element(element, flexible);
            (
                format!(
                    "out.array({flexible}, {}, |out, it| {one});",
                    or_empty(field, "as_deref().unwrap_or_default()")
                ),
                format!("out.nullable_array({flexible}, self.{name}.as_deref(), |out, it| {one});"),
            )
        }
    };
    match null_rule(field, message) {
        Null::Never => plain,
        Null::Always => nullable,
        Null::When(condition) => format!("if {condition} {{ {nullable} }} else {{ {plain} }}"),
    }
}

fn or_empty(field: &Field, how: &str) -> String {
    if field.nullable.is_some() {
        format!("self.{}.{how}", field.name)
    } else {
        format!("&self.{}", field.name)
    }
}

fn write_element(element: &Type, flexible: &str) -> String {
    match element {
        Type::Struct(_) => "{ it.write(out, version); }".to_owned(),
        Type::String => format!("out.string({flexible}, it)"),
        Type::Bytes => format!("out.bytes({flexible}, it)"),
        Type::Bool => "out.bool(*it)".to_owned(),
        Type::Int8 => "out.i8(*it)".to_owned(),
        Type::Int16 => "out.i16(*it)".to_owned(),
        Type::Int32 => "out.i32(*it)".to_owned(),
        Type::Int64 => "out.i64(*it)".to_owned(),
        Type::Uuid => "out.uuid(*it)".to_owned(),
        other => format!("compile_error!(\"array of {other:?}\")"),
    }
}

fn write_message(out: &mut String, page: &Page, message: &Message) {
    let name = &message.structs[0].name;
    let Versions { first, last } = message.versions;
    let _ = writeln!(
        out,
        "impl Message for {name} {{ const VERSIONS: Versions = Versions {{ first: {first}, last: {last} }};
        fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {{ Self::read(input, version) }}
        fn encode(&self, out: &mut Encoder, version: i16) {{ self.write(out, version); }} }}\n"
    );
    if let (Role::Request, Some((_, api))) = (message.role, &page.api) {
        let _ = writeln!(
            out,
            "impl Request for {name} {{ const KEY: ApiKey = ApiKey::{api}; type Response = {api}Response; }}\n"
        );
    }
}

fn root_file(pages: &BTreeMap<String, Page>) -> String {
    let mut out = String::from(
        "//! Every message of the protocol that clients and brokers exchange, a module for each API: generated by `cargo xtask generate`.\n\n",
    );
    for name in pages.keys() {
        let _ = writeln!(out, "pub mod {};", module(name));
    }
    out.push_str("mod prelude;\n\n");
    let apis: Vec<(&Page, i16, &String)> = pages
        .values()
        .filter_map(|page| page.api.as_ref().map(|(key, name)| (page, *key, name)))
        .collect();
    out.push_str("/// An API by its key.\n#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n#[repr(i16)]\npub enum ApiKey {\n");
    for (_, key, name) in &apis {
        let _ = writeln!(out, "{name} = {key},");
    }
    out.push_str("}\n\n/// Key, name, versions of Kafka 4.3 (stable ones), first flexible version.\npub(crate) const APIS: &[crate::api::Api] = &[\n");
    for (page, _, name) in &apis {
        let Some(request) = page.messages.first() else {
            continue;
        };
        let Versions { first, last } = request.versions;
        let last = page.stable.unwrap_or(last);
        let flexible = request
            .flexible
            .map_or("None".to_owned(), |first| format!("Some({first})"));
        let _ = writeln!(
            out,
            "crate::api::Api {{ key: ApiKey::{name}, name: \"{name}\", versions: crate::api::Versions {{ first: {first}, last: {last} }}, flexible: {flexible} }},"
        );
    }
    out.push_str("];\n");
    out
}
