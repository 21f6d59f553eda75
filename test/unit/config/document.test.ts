import assert from 'node:assert/strict';
import { nodeAt, offsetInString } from '../../../server/config/document/document.ts';
import { parseJson } from '../../../server/config/document/json.ts';
import { parseYaml } from '../../../server/config/document/yaml.ts';

function yamlValue(text: string): unknown {
  const { root, problems } = parseYaml(text);
  assert.deepEqual(problems, []);
  return root?.value;
}

describe('parseYaml', () => {
  it('merges maps: own keys first, then the earlier of several', () => {
    const text = 'a: &a { x: 1, y: 1 }\nb: &b { y: 2, z: 2 }\nc:\n  z: 3\n  <<: [*a, *b]\n';
    assert.deepEqual((yamlValue(text) as { c: unknown }).c, { x: 1, y: 1, z: 3 });
  });

  it('lets a key of the map itself count although the merged one has it too', () => {
    assert.deepEqual((yamlValue('a: &a { x: 1 }\nb: { x: 2, <<: *a }\n') as { b: unknown }).b, { x: 2 });
  });

  it('refuses aliases that unfold to a billion values, at once', () => {
    const levels = Array.from({ length: 12 }, (_, level) => {
      const items = level === 0 ? 'x' : Array.from({ length: 10 }, () => `*l${level - 1}`).join(', ');
      return `l${level}: &l${level} [${items}]`;
    });
    const started = performance.now();
    const { problems } = parseYaml(levels.join('\n'));
    assert.ok(performance.now() - started < 1000);
    assert.deepEqual(
      problems.map(({ message }) => message),
      ['the aliases unfold to more than 100000 values'],
    );
  });

  it('accepts the same alias a thousand times', () => {
    const uses = Array.from({ length: 1000 }, (_, index) => `k${index}: *a`).join('\n');
    assert.equal(Object.keys(yamlValue(`a: &a { b: 1 }\n${uses}\n`) as object).length, 1001);
  });

  for (const [kind, text] of [
    ['flow lists', '['.repeat(100_000)],
    ['closed flow lists', `${'['.repeat(5000)}${']'.repeat(5000)}`],
    ['block maps', Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['list items', '- '.repeat(50_000)],
  ] as const) {
    it(`answers ${kind} nested too deeply with a finding`, () => {
      const { problems } = parseYaml(text);
      assert.ok(problems.length > 0);
    });
  }

  it('says at which bracket it is too deep, and does not read the other 100 000', () => {
    const text = `a: "[["\nb: ${'['.repeat(100_000)}`;
    const { problems } = parseYaml(text);
    assert.deepEqual(
      problems.map(({ message, start }) => [/deeper than 64/.test(message), start]),
      [[true, text.indexOf('b: ') + 3 + 64]],
    );
  });

  it('does not take brackets in texts and comments for nesting', () => {
    const brackets = '['.repeat(100);
    assert.deepEqual(parseYaml(`a: "${brackets}" # ${brackets}\nb: |\n  ${brackets}\nc: x${brackets}\n`).problems, []);
  });

  it('takes keys as they are written, whatever value they could be', () => {
    assert.deepEqual(yamlValue('on: 1\n080: 2\n"null": 3\n'), { on: 1, '080': 2, null: 3 });
  });

  it('refuses a key that is a structure', () => {
    assert.match(parseYaml('? [a]\n: 1\n').problems[0]?.message ?? '', /expected a word as the key, found a structure/);
  });

  it('warns about a tag that it does not know', () => {
    const { problems } = parseYaml('a: !mine b\n');
    assert.deepEqual(
      problems.map(({ severity, start }) => [severity, start]),
      [['warning', 3]],
    );
  });
});

describe('parseJson', () => {
  it('does not let a key change what objects inherit', () => {
    const { root, problems } = parseJson('{ "__proto__": { "polluted": 1 } }');
    assert.deepEqual(root?.value, {});
    assert.equal(({} as { polluted?: number }).polluted, undefined);
    assert.equal(problems.length, 1);
  });

  it('answers lists nested too deeply with a finding', () => {
    assert.match(parseJson('['.repeat(1_000_000)).problems[0]?.message ?? '', /nested deeper than/);
  });

  it('is not led astray by brackets in texts and comments', () => {
    assert.deepEqual(parseJson(`{ "a": "${'['.repeat(500)}\\"[" }`).problems, []);
  });

  it('does not count brackets in comments as nesting', () => {
    assert.deepEqual(parseJson(`{} // ${'['.repeat(500)}\n/* ${'{'.repeat(500)}\n */`).problems, []);
  });
});

describe('offsetInString', () => {
  const texts: readonly (readonly [title: string, source: string, kind: 'yaml' | 'json'])[] = [
    ['plain text', 'a: one | two\n', 'yaml'],
    ['plain text over lines', 'a: one\n  two\n  | three\n', 'yaml'],
    ['double quotes with escapes', 'a: "\\"\\u0041\\x41\\t | b"\n', 'yaml'],
    ['single quotes', "a: 'it''s | b'\n", 'yaml'],
    ['a literal block', 'a: |\n  one\n   two\n  | three\n', 'yaml'],
    ['a folded block', 'a: >\n  one\n  two\n\n  | three\n', 'yaml'],
    ['JSON with escapes', '{"a": "\\u0022\\\\ | b"}', 'json'],
  ];
  for (const [title, source, kind] of texts) {
    it(`finds a character through ${title}`, () => {
      const document = kind === 'yaml' ? parseYaml(source) : parseJson(source);
      const node = nodeAt(document, ['a']);
      assert.ok(node);
      const index = String(node.value).indexOf('|');
      assert.equal(offsetInString(source, node, index), source.lastIndexOf('|'));
    });
  }
});
