//! Each kind of contradiction beside its near miss, as the body of an operation.

use crate::finding::{Code, Severity};
use crate::{Source, understand};

const DOCUMENT: &str = "openapi: 3.1.0
info: { title: T, version: '1' }
paths:
  /things:
    post:
      operationId: addThing
      security: []
      x-palisade: { public: a trial }
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Thing' } } } }
      responses: { '204': { description: Done. } }
components:
  schemas:
";

/// The contradictions that are found, and whether they stop generation.
fn found(schemas: &str) -> Vec<(Severity, String)> {
    let text = format!("{DOCUMENT}{schemas}\n");
    let findings = match understand(&Source::text("a.yaml", text)) {
        Ok(understood) => understood.warnings,
        Err(findings) => findings,
    };
    let wrong = findings.iter().find(|finding| {
        finding.severity() == Severity::Error && !matches!(finding.code(), Code::Contradiction)
    });
    assert!(wrong.is_none(), "{schemas}\n{findings}");
    let found = findings.iter().filter(|finding| finding.code() == Code::Contradiction);
    found.map(|finding| (finding.severity(), finding.message().to_owned())).collect()
}

#[track_caller]
fn refused(schema: &str, words: &str) {
    let found = found(&format!("    Thing: {schema}"));
    let one = matches!(&*found, [(Severity::Error, message)] if message.contains(words));
    assert!(one, "{schema}\n{found:#?}");
}

#[track_caller]
fn allowed(schema: &str) {
    let found = found(&format!("    Thing: {schema}"));
    assert!(found.is_empty(), "{schema}\n{found:#?}");
}

#[test]
fn a_component_of_nothing_that_nothing_uses() {
    for nothing in ["false", "{ not: {} }", "{ $ref: '#/components/schemas/None' }"] {
        let schemas = format!("    Thing: {{ type: string }}\n    None: false\n    Other: {nothing}");
        assert!(found(&schemas).is_empty(), "{nothing}");
    }
    // used, and a contradiction that says something else
    refused("false", "nothing is allowed here");
    refused("{ not: {} }", "nothing is allowed here");
    let other = found("    Thing: { type: string }\n    Other: { type: integer, minimum: 2, maximum: 1 }");
    assert!(matches!(&*other, [(Severity::Error, _)]), "{other:?}");
}

#[test]
fn a_required_member_of_nothing() {
    let words = "`a` is required, and no value is allowed there";
    refused("{ type: object, required: [a], properties: { a: false } }", words);
    allowed("{ type: object, required: [b], properties: { a: false, b: { type: string } } }");
    refused("{ type: object, required: [a], properties: { a: { not: {} } } }", words);
    refused("{ type: object, required: [a], patternProperties: { '^a': false, '^b': true } }", words);
    allowed("{ type: object, required: [b], patternProperties: { '^a': false, '^b': true } }");
    refused("{ type: object, required: [a], propertyNames: { pattern: '^b' } }", words);
    allowed("{ type: object, required: [b], propertyNames: { pattern: '^b' } }");
    refused("{ allOf: [{ type: object, properties: { a: false } }, { required: [a] }] }", words);
}

#[test]
fn a_member_that_another_brings_with_it() {
    let object = |required: &str, more: &str| {
        format!("{{ type: object, required: [{required}], properties: {{ a: {{}}, c: {{}} }}, {more} }}")
    };
    let closed = "additionalProperties: false";
    refused(&object("a", &format!("{closed}, dependentRequired: {{ a: [b] }}")), "`b` is required");
    refused(&object("a", &format!("{closed}, dependentRequired: {{ a: [c], c: [b] }}")), "`b` is required");
    refused(&object("a", "dependentRequired: { a: [b] }"), "`b` is required");
    refused(
        "{ type: object, required: [a], properties: { a: {}, b: false }, dependentRequired: { a: [b] } }",
        "`b` is required, and no value is allowed there",
    );
    // who leaves `a` out needs no `b`
    allowed(&object("c", &format!("{closed}, dependentRequired: {{ a: [b] }}")));
    allowed(&object("a", &format!("{closed}, dependentRequired: {{ a: [c], c: [a] }}")));
    allowed(&object("a", "additionalProperties: true, dependentRequired: { a: [b] }"));
    allowed(&object(
        "a",
        "patternProperties: { '^b': {} }, additionalProperties: false, dependentRequired: { a: [b] }",
    ));
}

#[test]
fn what_is_impossible_inside_of_what_must_be_there() {
    let one = [(Severity::Error, "no integer is within `minimum` and `maximum`".to_owned())];
    let item = "{ type: integer, minimum: 1.2, maximum: 1.8 }";
    let holder = |schema: &str| found(&format!("    Item: {item}\n    Thing: {schema}"));
    let reference = "{ $ref: '#/components/schemas/Item' }";
    for needs in [
        format!("{{ type: object, required: [a], properties: {{ a: {reference} }} }}"),
        format!("{{ type: array, minItems: 1, items: {reference} }}"),
        format!("{{ type: array, contains: {reference} }}"),
        format!("{{ type: object, required: [a], additionalProperties: {reference} }}"),
        format!(
            "{{ type: object, required: [a, b], properties: {{ a: {{ type: object, required: [b], properties: {{ b: {reference} }} }}, b: {{ type: string }} }} }}"
        ),
    ] {
        assert_eq!(holder(&needs), one, "{needs}");
    }
    // what need not be there is a remark
    let remark = one.map(|(_, message)| (Severity::Warning, message));
    for can_do_without in [
        format!("{{ type: object, properties: {{ a: {reference} }} }}"),
        format!("{{ type: array, items: {reference} }}"),
        format!("{{ type: object, additionalProperties: {reference} }}"),
        format!("{{ oneOf: [{reference}, {{ type: string }}] }}"),
        format!("{{ type: array, contains: {reference}, minContains: 0 }}"),
        format!("{{ anyOf: [{reference}, {{ type: 'null' }}] }}"),
    ] {
        assert_eq!(holder(&can_do_without), remark, "{can_do_without}");
    }
    refused("{ type: array, minItems: 1, items: false }", "`minItems` asks for an item at position 0");
    allowed("{ type: array, items: false }");
}

#[test]
fn recursion_is_not_impossible_by_itself() {
    allowed(
        "{ type: object, required: [next], properties: { next: { type: [object, 'null'], required: [next], properties: { next: { $ref: '#/components/schemas/Thing' } } } } }",
    );
    refused(
        "{ type: object, required: [next, a], properties: { next: { type: array, items: { $ref: '#/components/schemas/Thing' } }, a: false } }",
        "`a` is required",
    );
}

#[test]
fn a_required_member_that_is_not_let_in() {
    let words = "`nmae` is required and not declared, and others are refused";
    refused(
        "{ type: object, required: [nmae], properties: { name: { type: string } }, additionalProperties: false }",
        words,
    );
    allowed(
        "{ type: object, required: [name], properties: { name: { type: string } }, additionalProperties: false }",
    );
    // declared members close an object, but what it requires itself is one of them
    allowed("{ type: object, required: [nmae], properties: { name: { type: string } } }");
    allowed(
        "{ type: object, required: [nmae], properties: { name: { type: string } }, anyOf: [{ required: [name] }, { minProperties: 1 }] }",
    );
    refused(
        "{ type: object, properties: { name: { type: string } }, anyOf: [{ required: [nmae] }, { required: [title] }] }",
        "no alternative of `anyOf`",
    );
    allowed(
        "{ type: object, required: [nmae], properties: { name: { type: string } }, anyOf: [{ properties: { nmae: { type: string } } }, { minProperties: 1 }] }",
    );
    refused(
        "{ type: object, required: [nmae], properties: { name: { type: string } }, unevaluatedProperties: false }",
        words,
    );
    allowed(
        "{ type: object, required: [nmae], properties: { name: { type: string } }, unevaluatedProperties: false, allOf: [{ properties: { nmae: true } }] }",
    );
    let map = |kind: &str| {
        format!(
            "{{ allOf: [{{ type: object, required: [a], properties: {{ a: {{ type: string }} }} }}, {{ type: object, additionalProperties: {{ type: {kind} }} }}] }}"
        )
    };
    refused(&map("integer"), "`a` is required, and no value is allowed there");
    allowed(&map("string"));
}

#[test]
fn what_others_extend_is_not_closed_by_itself() {
    let base = "{ type: object, properties: { a: { type: string } }, minProperties: 2, anyOf: [{ required: [b] }, { required: [c] }] }";
    let more = "{ type: object, properties: { b: { type: string }, c: { type: string } } }";
    let whole = format!("{{ allOf: [{{ $ref: '#/components/schemas/Base' }}, {more}] }}");
    let extended = found(&format!("    Base: {base}\n    Thing: {whole}"));
    assert!(extended.is_empty(), "{extended:?}");
    // also where no operation uses either
    let unused = found(&format!("    Base: {base}\n    Other: {whole}\n    Thing: {{ type: string }}"));
    assert!(unused.is_empty(), "{unused:?}");
    refused(base, "no alternative of `anyOf` can be satisfied");
}

#[test]
fn counts_of_members() {
    refused(
        "{ type: object, required: [a, b], properties: { a: { type: string }, b: { type: string } }, maxProperties: 1 }",
        "`maxProperties` allows fewer members than are required",
    );
    let words = "`minProperties` asks for more members than the object can have";
    let object =
        |more: &str| format!("{{ type: object, properties: {{ a: {{ type: string }}, b: false }}, {more} }}");
    refused(&object("additionalProperties: false, minProperties: 2"), words);
    refused(&object("minProperties: 2"), words);
    allowed(&object("additionalProperties: false, minProperties: 1"));
    allowed(&object("additionalProperties: true, minProperties: 2"));
    allowed(&object("patternProperties: { '^x': true }, minProperties: 2"));
    allowed(&object("required: [c], minProperties: 2"));
    refused(&object("unevaluatedProperties: false, minProperties: 2"), words);
    refused("{ type: object, propertyNames: false, minProperties: 1 }", words);
    allowed("{ type: object, propertyNames: { maxLength: 0 }, minProperties: 1 }");
}

#[test]
fn numbers() {
    let words = "no integer is within `minimum` and `maximum`";
    refused("{ type: integer, minimum: 1.2, maximum: 1.8 }", words);
    allowed("{ type: integer, minimum: 1.2, maximum: 2 }");
    allowed("{ type: number, minimum: 1.2, maximum: 1.8 }");
    allowed("{ type: [integer, string], minimum: 1.2, maximum: 1.8 }");
    refused("{ type: integer, exclusiveMinimum: 1, exclusiveMaximum: 2 }", "no integer is within");
    let words = "no multiple of this is within the bounds";
    refused("{ type: integer, minimum: 11, maximum: 19, multipleOf: 10 }", words);
    allowed("{ type: integer, minimum: 11, maximum: 20, multipleOf: 10 }");
    refused("{ type: number, exclusiveMinimum: 0, maximum: 0.4, multipleOf: 0.5 }", words);
    refused(
        "{ allOf: [{ type: integer, multipleOf: 4 }, { minimum: 1, maximum: 11, multipleOf: 6 }] }",
        words,
    );
    let words = "no integer of this format is within its bounds";
    refused("{ type: integer, format: int32, minimum: 3000000000 }", words);
    refused("{ type: integer, format: int32, minimum: 2147483647.5 }", words);
    allowed("{ type: integer, format: int64, minimum: 3000000000 }");
    allowed("{ type: number, format: int32, minimum: 0.2, maximum: 0.8 }");
}

#[test]
fn formats() {
    let words = "no value of this format is as short as `maxLength` asks for";
    refused("{ type: string, format: uuid, maxLength: 10 }", words);
    refused("{ type: string, format: date-time, maxLength: 19 }", words);
    allowed("{ type: string, format: uuid, maxLength: 36 }");
    allowed("{ type: string, format: iban, maxLength: 1 }");
    allowed("{ type: string, format: date-time, maxLength: 20 }");
    refused(
        "{ type: string, format: date, minLength: 11 }",
        "no value of this format is as long as `minLength`",
    );
    refused(
        "{ allOf: [{ type: string, format: uuid }, { type: string, format: date }] }",
        "no text is of both formats",
    );
    allowed("{ allOf: [{ type: string, format: uuid }, { type: string, format: hostname }] }");
    allowed("{ allOf: [{ type: string, format: uri }, { type: string, format: uri-reference }] }");
}

#[test]
fn listed_values() {
    let words = "none of the values that are listed fits the rest";
    refused("{ type: string, enum: [a, b], not: { enum: [b, a, c] } }", words);
    allowed("{ type: string, enum: [a, b], not: { enum: [b, c] } }");
    refused("{ const: 3, not: { minimum: 2 } }", words);
    refused("{ enum: [1, 2], oneOf: [{ minimum: 3 }, { type: string }] }", words);
    refused(
        "{ type: object, x-palisade: { open: true }, properties: { a: { type: string } }, enum: [{ a: 1 }] }",
        words,
    );
    refused("{ allOf: [{ enum: [a, b] }, { enum: [c] }] }", "they list different values");
    refused("{ allOf: [{ const: a }, { enum: [b, c] }] }", "they list different values");
    allowed("{ allOf: [{ enum: [a, b] }, { enum: [b, c] }] }");
    refused("{ allOf: [{ enum: [abc] }, { type: string, maxLength: 2 }] }", "refused by another");
    refused("{ enum: [abc], allOf: [{ pattern: '^b' }, { pattern: 'c$' }] }", "refused by another");
    allowed("{ enum: [abc], allOf: [{ pattern: '^a' }, { pattern: 'c$' }] }");
}

#[test]
fn what_not_leaves() {
    refused("{ type: integer, not: { type: integer } }", "every integer is what `not` refuses");
    refused("{ type: integer, not: { type: number } }", "every integer is what `not` refuses");
    refused("{ type: [string, boolean], not: { type: [boolean, string] } }", "is what `not` refuses");
    allowed("{ type: number, not: { type: integer } }");
    allowed("{ type: integer, not: { type: integer, minimum: 3 } }");
    allowed("{ type: [string, boolean], not: { type: boolean } }");
    refused("{ not: {} }", "nothing is allowed here");
    refused("{ not: true }", "nothing is allowed here");
    allowed("{ not: false }");
    allowed("{ type: object, properties: { a: { not: {} } } }");
}

#[test]
fn items_that_differ() {
    let words = "`minItems` asks for more items than there are values, which must differ";
    let array = |items: &str, least: u8| {
        format!("{{ type: array, uniqueItems: true, minItems: {least}, items: {items} }}")
    };
    for (items, values) in [
        ("{ type: boolean }", 2),
        ("{ type: [boolean, 'null'] }", 3),
        ("{ type: string, enum: [a, b, c] }", 3),
        ("{ const: a }", 1),
        ("{ type: 'null' }", 1),
    ] {
        refused(&array(items, values + 1), words);
        allowed(&array(items, values));
    }
    allowed(&array("{ type: integer }", 9));
    allowed("{ type: array, minItems: 3, items: { type: boolean } }");
}

#[test]
fn choices() {
    let words = "no alternative of `oneOf` can be satisfied";
    refused("{ type: string, oneOf: [{ type: integer }, { type: object, properties: { a: true } }] }", words);
    allowed("{ type: string, oneOf: [{ type: integer }, { maxLength: 3 }] }");
    refused("{ oneOf: [false, { not: {} }] }", words);
    refused("{ anyOf: [false, false] }", "no alternative of `anyOf`");
    refused(
        "{ anyOf: [{ required: [a] }, { required: [b] }], type: object, properties: { a: false, b: false } }",
        "no alternative of `anyOf`",
    );
    allowed(
        "{ anyOf: [{ required: [a] }, { required: [b] }], type: object, properties: { a: false, b: true } }",
    );
}

#[test]
fn an_alternative_that_nothing_satisfies_is_a_remark() {
    let severities = |schema: &str| -> Vec<Severity> {
        found(&format!("    Thing: {schema}")).into_iter().map(|(severity, _)| severity).collect()
    };
    let beside = "type: integer, maximum: 2";
    assert_eq!(
        severities(&format!("{{ {beside}, oneOf: [{{ minimum: 3 }}, {{ minimum: 1 }}] }}")),
        [Severity::Warning]
    );
    let both = severities(&format!("{{ {beside}, oneOf: [{{ minimum: 3 }}, {{ minimum: 4 }}] }}"));
    assert_eq!(both, [Severity::Error, Severity::Warning, Severity::Warning]);
}

#[test]
fn items() {
    refused("{ type: array, contains: false }", "an item has to be what `contains` allows");
    allowed("{ type: array, contains: false, minContains: 0 }");
    allowed("{ contains: false }");
    let words = "`minItems` asks for an item at position 1";
    refused("{ type: array, prefixItems: [{ type: string }], items: false, minItems: 2 }", words);
    allowed("{ type: array, prefixItems: [{ type: string }], items: false, minItems: 1 }");
    refused("{ type: array, prefixItems: [{ type: string }], unevaluatedItems: false, minItems: 2 }", words);
    let words = "no value is within `minContains` and `maxContains`";
    refused("{ type: array, contains: { type: string }, minContains: 2, maxContains: 1 }", words);
    allowed("{ type: array, contains: { type: string }, minContains: 1, maxContains: 1 }");
    let words = "no value is within `minContains` and `maxItems`";
    refused("{ type: array, contains: { type: string }, minContains: 2, maxItems: 1 }", words);
    refused("{ type: array, contains: { type: string }, maxItems: 0 }", "no value is within `contains`");
    allowed("{ type: array, contains: { type: string }, minContains: 2, maxItems: 2 }");
}

#[test]
fn null_passes_where_it_is_let_through() {
    let remarks =
        found("    Thing: { anyOf: [{ type: 'null' }, { type: integer, not: { type: integer } }] }");
    assert!(matches!(&*remarks, [(Severity::Warning, _)]), "{remarks:?}");
    allowed("{ type: ['null', integer], not: { type: integer } }");
    allowed("{ type: [string, 'null'], allOf: [{ anyOf: [false, { type: 'null' }] }] }");
    refused("{ type: string, allOf: [{ anyOf: [false, { type: 'null' }] }] }", "nothing is allowed here");
    refused("{ type: ['null', integer], not: { type: [integer, 'null'] } }", "`null`");
}

#[test]
fn many_and_deep_schemas_end_soon() {
    let name = |at| if at == 0 { "Thing".to_owned() } else { format!("S{at}") };
    let mut schemas = String::new();
    for at in 0..3_000 {
        schemas.push_str(&format!(
            "    {}: {{ type: object, required: [a], properties: {{ a: {{ $ref: '#/components/schemas/{}' }} }}, anyOf: [{{ minProperties: 0 }}, {{ maxProperties: 9 }}] }}\n",
            name(at),
            name(at + 1)
        ));
    }
    schemas.push_str("    S3000: { type: object, required: [b], properties: { b: false } }");
    let found = found(&schemas);
    assert!(
        matches!(&*found, [(Severity::Error, message)] if message.contains("`b` is required")),
        "{found:?}"
    );
}
