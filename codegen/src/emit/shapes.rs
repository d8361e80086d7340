//! ```yaml
//! Word: { not: { enum: ["", "none"] } }
//! ```
//! ```text
//! pub struct Word(pub p::Json);
//! p::shaped!(Word, SHAPE_1);
//! static SHAPE_1: p::Shape = p::Shape(&[p::K::Not(&p::Shape(&[p::K::Words(&["", "none"])]))]);
//! ```

use foldhash::HashMap;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::doc::{doc, said};
use super::scopes::code;
use super::values::{count, integer, plain};
use crate::lower::{Format, PatternPlan, TypePlan};
use crate::model::{Keyword, Keywords, Kind, Pattern, ShapeId, TextFormat, Value};

/// JSON that is checked: a struct around it.
pub(super) fn emit(ty: &TypePlan<'_>, shape: ShapeId) -> TokenStream {
    let ident = &ty.ident;
    let about = doc(&said(ty.docs, &format!("{} of the document: JSON that is checked.", code(&ty.called))));
    let shape = name(shape);
    quote! {
        #about
        #[allow(dead_code, reason = "declared by the document")]
        #[derive(Clone, Debug, PartialEq)]
        pub struct #ident(pub p::Json);
        p::shaped!(#ident, #shape);
    }
}

/// The static of a shape.
pub(super) fn name(shape: ShapeId) -> Ident {
    Ident::new(&format!("SHAPE_{}", shape.position() + 1), Span::call_site())
}

/// Writes shapes down.
pub(super) struct Emitter<'p> {
    patterns: HashMap<&'p Pattern, &'p Ident>,
}

impl<'p> Emitter<'p> {
    pub(super) fn of(patterns: &'p [PatternPlan]) -> Self {
        Self { patterns: patterns.iter().map(|plan| (&plan.pattern, &plan.ident)).collect() }
    }

    /// The static of a shape.
    pub(super) fn emit(&self, id: ShapeId, keywords: &Keywords) -> TokenStream {
        let (ident, list) = (name(id), self.list(keywords));
        quote!(static #ident: p::Shape = p::Shape(#list);)
    }

    fn list(&self, keywords: &Keywords) -> TokenStream {
        let all = keywords.0.iter().map(|keyword| self.keyword(keyword));
        quote!(&[#(#all),*])
    }

    /// A reference to a shape.
    pub(super) fn shape(&self, keywords: &Keywords) -> TokenStream {
        if let Some(constant) = plain_type(&keywords.0) {
            let constant = format_ident!("{constant}");
            return quote!(&p::Shape::#constant);
        }
        match &*keywords.0 {
            [] => quote!(&p::Shape::ANY),
            [Keyword::Never] => quote!(&p::Shape::NEVER),
            [Keyword::Ref(id)] => {
                let ident = name(*id);
                quote!(&#ident)
            }
            _ => {
                let list = self.list(keywords);
                quote!(&p::Shape(#list))
            }
        }
    }

    fn shapes(&self, all: &[Keywords]) -> TokenStream {
        let all = all.iter().map(|keywords| self.shape(keywords));
        quote!(&[#(#all),*])
    }

    fn named(&self, all: &[(String, Keywords)]) -> TokenStream {
        let all = all.iter().map(|(name, keywords)| {
            let shape = self.shape(keywords);
            quote!((#name, #shape))
        });
        quote!(&[#(#all),*])
    }

    fn optional(&self, keywords: Option<&Keywords>) -> TokenStream {
        match keywords {
            Some(keywords) => {
                let shape = self.shape(keywords);
                quote!(Some(#shape))
            }
            None => quote!(None),
        }
    }

    fn pattern(&self, pattern: &Pattern) -> TokenStream {
        let ident = self.patterns.get(pattern);
        quote!(&#ident)
    }

    fn keyword(&self, keyword: &Keyword) -> TokenStream {
        match keyword {
            Keyword::Never => quote!(p::K::Never),
            Keyword::Ref(id) => {
                let ident = name(*id);
                quote!(p::K::Ref(&#ident))
            }
            Keyword::Pattern(pattern) => {
                let pattern = self.pattern(pattern);
                quote!(p::K::Pattern(#pattern))
            }
            Keyword::Items(prefix, rest) => {
                let (prefix, rest) = (self.shapes(prefix), self.optional(rest.as_ref()));
                quote!(p::K::Items(#prefix, #rest))
            }
            Keyword::Contains(shape, min, max) => {
                let (shape, min, max) = (self.shape(shape), count(*min), most(*max));
                quote!(p::K::Contains(#shape, #min, #max))
            }
            Keyword::UnevaluatedItems(shape) => self.applied("UnevaluatedItems", shape),
            Keyword::UnevaluatedProperties(shape) => self.applied("UnevaluatedProperties", shape),
            Keyword::PropertyNames(shape) => self.applied("PropertyNames", shape),
            Keyword::Not(shape) => self.applied("Not", shape),
            Keyword::Properties { declared, patterns, others } => {
                self.properties(declared, patterns, others.as_ref())
            }
            Keyword::DependentSchemas(all) => {
                let all = self.named(all);
                quote!(p::K::DependentSchemas(#all))
            }
            Keyword::AllOf(all) => self.applied_each("AllOf", all),
            Keyword::AnyOf(all) => self.applied_each("AnyOf", all),
            Keyword::OneOf(all) => self.applied_each("OneOf", all),
            Keyword::Tagged(tagged) => {
                let (member, words) = (&tagged.member, self.named(&tagged.words));
                let default = self.optional(tagged.default.as_ref());
                quote!(p::K::Tagged(p::Tagged { member: #member, words: #words, default: #default }))
            }
            Keyword::If(condition, then, otherwise) => {
                let condition = self.shape(condition);
                let (then, otherwise) = (self.optional(then.as_ref()), self.optional(otherwise.as_ref()));
                quote!(p::K::If(#condition, #then, #otherwise))
            }
            assertion => assert(assertion),
        }
    }

    fn applied(&self, keyword: &str, shape: &Keywords) -> TokenStream {
        let (keyword, shape) = (format_ident!("{keyword}"), self.shape(shape));
        quote!(p::K::#keyword(#shape))
    }

    fn applied_each(&self, keyword: &str, all: &[Keywords]) -> TokenStream {
        let (keyword, all) = (format_ident!("{keyword}"), self.shapes(all));
        quote!(p::K::#keyword(#all))
    }

    fn properties(
        &self,
        declared: &[(String, Keywords)],
        patterns: &[(Pattern, Keywords)],
        others: Option<&Keywords>,
    ) -> TokenStream {
        let (declared, others) = (self.named(declared), self.optional(others));
        let patterns = patterns.iter().map(|(pattern, keywords)| {
            let (pattern, shape) = (self.pattern(pattern), self.shape(keywords));
            quote!((#pattern, #shape))
        });
        quote!(p::K::Properties { declared: #declared, patterns: &[#(#patterns),*], others: #others })
    }
}

/// The keywords that hold no schema.
fn assert(keyword: &Keyword) -> TokenStream {
    match keyword {
        Keyword::Types(types) => {
            let types = types.iter().map(|kind| kind_of(*kind));
            quote!(p::K::Types(&[#(#types),*]))
        }
        Keyword::Enum(values) => match words(values) {
            Some(words) => quote!(p::K::Words(&[#(#words),*])),
            None => {
                let values = values.iter().map(fact);
                quote!(p::K::Enum(&[#(#values),*]))
            }
        },
        Keyword::Const(value) => {
            let value = fact(value);
            quote!(p::K::Const(#value))
        }
        Keyword::Minimum(bound) => quote!(p::K::Minimum(#bound)),
        Keyword::Maximum(bound) => quote!(p::K::Maximum(#bound)),
        Keyword::ExclusiveMinimum(bound) => quote!(p::K::ExclusiveMinimum(#bound)),
        Keyword::ExclusiveMaximum(bound) => quote!(p::K::ExclusiveMaximum(#bound)),
        Keyword::MultipleOf(of) => quote!(p::K::MultipleOf(#of)),
        Keyword::Range(low, high) => {
            let (low, high) = (integer(*low), integer(*high));
            quote!(p::K::Range(#low, #high))
        }
        Keyword::Length(min, max) => counted("Length", *min, *max),
        Keyword::ItemCount(min, max) => counted("ItemCount", *min, *max),
        Keyword::MemberCount(min, max) => counted("MemberCount", *min, *max),
        Keyword::UniqueItems => quote!(p::K::UniqueItems),
        Keyword::Required(names) => quote!(p::K::Required(&[#(#names),*])),
        Keyword::DependentRequired(all) => {
            let all = all.iter().map(|(name, names)| quote!((#name, &[#(#names),*])));
            quote!(p::K::DependentRequired(&[#(#all),*]))
        }
        Keyword::Format(format) => {
            let format = self::format(*format);
            quote!(p::K::Format(#format))
        }
        // the others are written by `Emitter::keyword`
        _ => quote!(p::K::Never),
    }
}

/// The constant of a schema that states one type and no more.
fn plain_type(keywords: &[Keyword]) -> Option<&'static str> {
    let [Keyword::Types(types)] = keywords else { return None };
    match **types {
        [Kind::Boolean] => Some("BOOLEAN"),
        [Kind::Integer] => Some("INTEGER"),
        [Kind::Null] => Some("NULL"),
        [Kind::Number] => Some("NUMBER"),
        [Kind::String] => Some("STRING"),
        _ => None,
    }
}

/// Values that are all texts.
fn words<'v>(values: &'v [Value]) -> Option<Vec<&'v str>> {
    let text = |value: &'v Value| if let Value::Text(text) = value { Some(text.as_str()) } else { None };
    values.iter().map(text).collect()
}

fn format(format: TextFormat) -> TokenStream {
    match Format::of(format) {
        Format::Checked(function) => {
            let function = format_ident!("{function}");
            quote!(p::#function)
        }
        Format::Typed(ty) => {
            let ty = plain(&ty);
            quote!(p::of_text::<#ty>)
        }
    }
}

fn counted(keyword: &str, min: usize, max: Option<usize>) -> TokenStream {
    let (keyword, min, max) = (format_ident!("{keyword}"), count(min), most(max));
    quote!(p::K::#keyword(#min, #max))
}

fn most(max: Option<usize>) -> TokenStream {
    max.map_or_else(|| quote!(usize::MAX), count)
}

fn kind_of(kind: Kind) -> TokenStream {
    match kind {
        Kind::Null => quote!(p::JsonType::Null),
        Kind::Boolean => quote!(p::JsonType::Boolean),
        Kind::Integer => quote!(p::JsonType::Integer),
        Kind::Number => quote!(p::JsonType::Number),
        Kind::String => quote!(p::JsonType::String),
        Kind::Array => quote!(p::JsonType::Array),
        Kind::Object => quote!(p::JsonType::Object),
    }
}

fn fact(value: &Value) -> TokenStream {
    match value {
        Value::Null => quote!(p::Fact::Null),
        Value::Bool(value) => quote!(p::Fact::Bool(#value)),
        Value::Number(digits) => quote!(p::Fact::Number(#digits)),
        Value::Text(text) => quote!(p::Fact::Text(#text)),
        Value::List(items) => {
            let items = items.iter().map(fact);
            quote!(p::Fact::List(&[#(#items),*]))
        }
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let value = fact(value);
                quote!((#name, #value))
            });
            quote!(p::Fact::Object(&[#(#members),*]))
        }
    }
}
