//! The generated code of one page's messages: their structs, and how each is read and written. Called by `generate`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::definition::{Field, Message, Page, Role, Struct, Type, Versions};
use crate::generate::module;

pub(crate) fn file(name: &str, page: &Page) -> Result<String, String> {
    let title = page.api.as_ref().map_or_else(
        || module(name).to_owned(),
        |(key, api)| format!("{api} (key {key})"),
    );
    let mut out = format!(
        "//! {title}: generated from `definitions/{name}.txt` by `cargo xtask generate`.\n\nuse super::prelude::*;\n\n"
    );
    let mut done: BTreeMap<&str, String> = BTreeMap::new();
    for message in &page.messages {
        for one in &message.structs {
            let code = struct_code(message, one);
            match done.get(one.name.as_str()) {
                None => out.push_str(&code),
                // Two messages may share a struct, but then it is one in every respect.
                Some(known) if *known == code => {}
                Some(_) => return Err(format!("{name}: two structs are called {}", one.name)),
            }
            done.insert(&one.name, code);
        }
        write_message(&mut out, page, message);
    }
    Ok(out)
}

fn struct_code(message: &Message, one: &Struct) -> String {
    let mut fields = String::new();
    for field in &one.fields {
        write_comment(&mut fields, &field.comment);
        let _ = writeln!(fields, "pub {}: {},", field.name, rust_type(field));
    }
    let mut out = String::new();
    if one.name == message.structs[0].name {
        write_comment(&mut out, &message.comment);
    }
    let (derived, written) = default_code(one);
    let _ = writeln!(
        out,
        "#[derive(Clone, Debug, {derived}PartialEq)] pub struct {name} {{ {fields} }}\n{written}\nimpl {name} {{",
        name = one.name
    );
    write_read(&mut out, message, one);
    write_write(&mut out, message, one);
    out.push_str("}\n\n");
    out
}

fn write_comment(out: &mut String, comment: &[String]) {
    for line in comment {
        let _ = writeln!(out, "/// {line}");
    }
}

/// What to derive, or to write, for `Default`.
fn default_code(one: &Struct) -> (&'static str, String) {
    if one.fields.iter().all(|field| field.default().is_none()) {
        return ("Default, ", String::new());
    }
    let mut fields = String::new();
    for field in &one.fields {
        let value = field.default().unwrap_or_else(|| field.nothing());
        let _ = writeln!(fields, "{}: {value},", field.name);
    }
    let written = format!(
        "\nimpl Default for {} {{ fn default() -> Self {{ Self {{ {fields} }} }} }}\n",
        one.name
    );
    ("", written)
}

impl Field {
    /// What Rust takes for the field if not told otherwise.
    fn nothing(&self) -> String {
        match self.is_option() {
            true => "None".to_owned(),
            false => self.empty(),
        }
    }

    fn empty(&self) -> String {
        match &self.ty {
            Type::Bool => "false".to_owned(),
            Type::Float64 => "0.0".to_owned(),
            Type::Array(_) => "Vec::new()".to_owned(),
            Type::Uuid => "Uuid::ZERO".to_owned(),
            Type::String | Type::Bytes | Type::Records | Type::Struct(_) => {
                format!("{}::default()", plain_type(&self.ty))
            }
            _ => "0".to_owned(),
        }
    }

    /// The value that the field has in versions without it, unless it is what Rust takes anyway.
    fn default(&self) -> Option<String> {
        let plain = match (&self.ty, self.default.as_deref()) {
            (_, Some("null")) => return None,
            (Type::String, Some(text)) => format!("KafkaString::from_static({text:?})"),
            (_, Some(text)) => text.to_owned(),
            // Kafka gives a field that may be null its plain default, unless told; records are null.
            (ty, None) if self.is_option() && !matches!(ty, Type::Records) => {
                "Default::default()".to_owned()
            }
            (_, None) => return None,
        };
        Some(if self.is_option() {
            format!("Some({plain})")
        } else {
            plain
        })
    }

    fn is_option(&self) -> bool {
        self.nullable.is_some()
    }
}

fn rust_type(field: &Field) -> String {
    let plain = plain_type(&field.ty);
    if field.is_option() {
        format!("Option<{plain}>")
    } else {
        plain
    }
}

fn plain_type(ty: &Type) -> String {
    let name = match ty {
        Type::Bool => "bool",
        Type::Int8 => "i8",
        Type::Int16 => "i16",
        Type::Uint16 => "u16",
        Type::Int32 => "i32",
        Type::Int64 => "i64",
        Type::Float64 => "f64",
        Type::String => "KafkaString",
        Type::Uuid => "Uuid",
        Type::Bytes => "Bytes",
        Type::Records => "Records",
        Type::Struct(name) => name,
        Type::Array(element) => return format!("Vec<{}>", plain_type(element)),
    };
    name.to_owned()
}

/// What `flexible` is within a struct, as code.
fn flexible(message: &Message, one: &Struct) -> String {
    match message.flexible {
        Some(first) if first <= one.versions.first => "true".to_owned(),
        Some(first) if first <= one.versions.last => format!("version >= {first}"),
        _ => "false".to_owned(),
    }
}

/// A function's statements, each with the condition it stands under; neighbours under the same one share it.
#[derive(Default)]
struct Body {
    code: String,
    condition: String,
}

impl Body {
    fn push(&mut self, condition: &str, statement: &str) {
        if condition != self.condition {
            self.close();
            if !condition.is_empty() {
                let _ = writeln!(self.code, "if {condition} {{");
            }
            condition.clone_into(&mut self.condition);
        }
        let _ = writeln!(self.code, "{statement}");
    }

    fn close(&mut self) {
        if !self.condition.is_empty() {
            self.code.push_str("}\n");
        }
        self.condition.clear();
    }

    /// The whole function; `version` and `flexible` are named only where something looks at them.
    fn function(mut self, signature: &str, flexible: &str, first: &str, last: &str) -> String {
        self.close();
        let code = self.code;
        let flexible = match has_word(&code, "flexible") {
            true => format!("let flexible = {flexible};\n"),
            false => String::new(),
        };
        let version = match has_word(&code, "version") || has_word(&flexible, "version") {
            true => "version",
            false => "_version",
        };
        let signature = signature.replace("VERSION", version);
        format!("{signature} {{ {flexible} {first} {code} {last} }}\n\n")
    }
}

fn has_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|found| found == word)
}

fn write_read(out: &mut String, message: &Message, one: &Struct) {
    let flexible = flexible(message, one);
    let mut body = Body::default();
    for field in one.fields.iter().filter(|field| field.tag.is_none()) {
        let statement = format!("it.{} = {}?;", field.name, read_value(field, one));
        body.push(&field.versions.condition(one.versions), &statement);
    }
    match flexible.as_str() {
        "false" => {}
        "true" => body.push("", &read_tags(one)),
        _ => body.push("flexible", &read_tags(one)),
    }
    out.push_str(&body.function(
        "pub fn read(input: &mut Decoder, VERSION: i16) -> Result<Self, DecodeError>",
        &flexible,
        "let mut it = Self::default();",
        "Ok(it)",
    ));
}

fn read_tags(one: &Struct) -> String {
    let mut arms = String::new();
    for field in one.tagged() {
        let versions = field.versions.condition(one.versions);
        let guard = match versions.is_empty() {
            true => versions,
            false => format!("if {versions}"),
        };
        let _ = writeln!(
            arms,
            "{} {guard} => it.{} = {}?,",
            field.tag.unwrap_or_default(),
            field.name,
            read_value(field, one)
        );
    }
    match arms.is_empty() {
        true => "input.skip_tags()?;".to_owned(),
        false => format!(
            "input.tags(|tag, input| {{ match tag {{ {arms} _ => return Ok(false), }} Ok(true) }})?;"
        ),
    }
}

fn write_write(out: &mut String, message: &Message, one: &Struct) {
    let flexible = flexible(message, one);
    let mut body = Body::default();
    for field in one.fields.iter().filter(|field| field.tag.is_none()) {
        let statement = format!("{};", write_value(field, one));
        body.push(&field.versions.condition(one.versions), &statement);
    }
    match flexible.as_str() {
        "false" => {}
        "true" => body.push("", &write_tags(one)),
        _ => body.push("flexible", &write_tags(one)),
    }
    out.push_str(&body.function(
        "pub fn write(&self, out: &mut Encoder, VERSION: i16)",
        &flexible,
        "",
        "",
    ));
}

fn write_tags(one: &Struct) -> String {
    let tagged = one.tagged();
    match tagged.as_slice() {
        [] => "out.uvarint(0);".to_owned(),
        tagged => {
            let mut out = String::new();
            let mut names = Vec::new();
            for field in tagged {
                let name = format!("has_{}", field.name);
                let _ = writeln!(out, "let {name} = {};", is_set(field, one));
                names.push(format!("u32::from({name})"));
            }
            let _ = writeln!(out, "out.uvarint({});", names.join(" + "));
            for field in tagged {
                let _ = writeln!(
                    out,
                    "if has_{} {{ out.tag({}, |out| {}); }}",
                    field.name,
                    field.tag.unwrap_or_default(),
                    write_value(field, one)
                );
            }
            out
        }
    }
}

impl Struct {
    /// The tagged fields, ascending.
    fn tagged(&self) -> Vec<&Field> {
        let mut tagged: Vec<&Field> = self.fields.iter().filter(|it| it.tag.is_some()).collect();
        tagged.sort_by_key(|field| field.tag);
        tagged
    }
}

/// A tagged field is sent when the version has it and it is not what a reader would assume.
fn is_set(field: &Field, one: &Struct) -> String {
    let versions = field.versions.condition(one.versions);
    let name = &field.name;
    let differs = match (field.default(), &field.ty) {
        (None, _) if field.is_option() => format!("self.{name}.is_some()"),
        (None, Type::Bool) => format!("self.{name}"),
        (None, Type::Array(_)) => format!("!self.{name}.is_empty()"),
        (None, Type::Struct(ty)) => format!("self.{name} != {ty}::default()"),
        (None, Type::Uuid) => format!("self.{name} != Uuid::ZERO"),
        (None, Type::String | Type::Bytes) => format!("!self.{name}.is_empty()"),
        (None, _) => format!("self.{name} != 0"),
        (Some(value), _) => format!("self.{name} != {value}"),
    };
    match versions.is_empty() {
        true => differs,
        false => format!("{versions} && {differs}"),
    }
}

/// Versions where null is allowed, of those where the field is: all, none, or a condition.
enum Null {
    Always,
    Never,
    When(String),
}

fn null_rule(field: &Field, one: &Struct) -> Null {
    let present = field.versions.meet(one.versions);
    match field.nullable {
        None => Null::Never,
        Some(nullable) if nullable.contains(present) => Null::Always,
        Some(nullable) => Null::When(nullable.condition(present)),
    }
}

/// The `Decoder`'s and `Encoder`'s method for a value that has a fixed length.
fn fixed(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::Bool => "bool",
        Type::Int8 => "i8",
        Type::Int16 => "i16",
        Type::Uint16 => "u16",
        Type::Int32 => "i32",
        Type::Int64 => "i64",
        Type::Float64 => "f64",
        Type::Uuid => "uuid",
        _ => return None,
    })
}

fn flexible_word(field: &Field) -> &'static str {
    if field.inflexible {
        "false"
    } else {
        "flexible"
    }
}

fn read_value(field: &Field, one: &Struct) -> String {
    let flexible = flexible_word(field);
    let (plain, nullable) = match &field.ty {
        Type::String => (
            format!("input.string({flexible})"),
            format!("input.nullable_string({flexible})"),
        ),
        Type::Bytes => (
            format!("input.bytes({flexible})"),
            format!("input.nullable_bytes({flexible})"),
        ),
        Type::Records => (
            format!("input.records({flexible})"),
            format!("input.nullable_records({flexible})"),
        ),
        Type::Struct(name) => (
            format!("{name}::read(input, version)"),
            format!("input.nullable(|input| {name}::read(input, version))"),
        ),
        Type::Array(element) => {
            let element = read_element(element, flexible);
            (
                format!("input.array({flexible}, {element})"),
                format!("input.nullable_array({flexible}, {element})"),
            )
        }
        ty => (
            format!("input.{}()", fixed(ty).unwrap_or_default()),
            String::new(),
        ),
    };
    match null_rule(field, one) {
        Null::Never => plain,
        Null::Always => nullable,
        Null::When(condition) => {
            format!("if {condition} {{ {nullable} }} else {{ {plain}.map(Some) }}")
        }
    }
}

fn read_element(element: &Type, flexible: &str) -> String {
    match element {
        Type::Struct(name) => format!("|input| {name}::read(input, version)"),
        Type::String => format!("|input| input.string({flexible})"),
        Type::Bytes => format!("|input| input.bytes({flexible})"),
        ty => format!("Decoder::{}", fixed(ty).unwrap_or("array_of_this_type")),
    }
}

fn write_value(field: &Field, one: &Struct) -> String {
    let flexible = flexible_word(field);
    let it = format!("self.{}", field.name);
    // A null in a version without null is sent as empty.
    let plain_it = match field.is_option() {
        true => format!("{it}.as_deref().unwrap_or_default()"),
        false => format!("&{it}"),
    };
    let (plain, nullable) = match &field.ty {
        Type::String => (
            format!("out.string({flexible}, {plain_it})"),
            format!("out.nullable_string({flexible}, {it}.as_deref())"),
        ),
        Type::Bytes => (
            format!("out.bytes({flexible}, {plain_it})"),
            format!("out.nullable_bytes({flexible}, {it}.as_deref())"),
        ),
        Type::Records => (
            format!("out.nullable_records({flexible}, Some(&{it}))"),
            format!("out.nullable_records({flexible}, {it}.as_ref())"),
        ),
        Type::Struct(_) => (
            format!("{it}.write(out, version)"),
            format!("out.nullable({it}.as_ref(), |out, it| it.write(out, version))"),
        ),
        Type::Array(element) => {
            let element = write_element(element, flexible);
            (
                format!("out.array({flexible}, {plain_it}, {element})"),
                format!("out.nullable_array({flexible}, {it}.as_deref(), {element})"),
            )
        }
        ty => (
            format!("out.{}({it})", fixed(ty).unwrap_or_default()),
            String::new(),
        ),
    };
    match null_rule(field, one) {
        Null::Never => plain,
        Null::Always => nullable,
        Null::When(condition) => format!("if {condition} {{ {nullable} }} else {{ {plain} }}"),
    }
}

fn write_element(element: &Type, flexible: &str) -> String {
    match element {
        Type::Struct(_) => "|out, it| it.write(out, version)".to_owned(),
        Type::String => format!("|out, it| out.string({flexible}, it)"),
        Type::Bytes => format!("|out, it| out.bytes({flexible}, it)"),
        ty => format!(
            "|out, it| out.{}(*it)",
            fixed(ty).unwrap_or("array_of_this_type")
        ),
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
