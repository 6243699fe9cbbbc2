import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { at, problems } from './stacks.ts'

/** [what the author did, the file, place, message, hint] */
const slips: ReadonlyArray<readonly [what: string, yaml: string, place: string, message: RegExp, hint?: RegExp]> = [
  [
    'a bracket within a value without quotes',
    "services:\n  w: {image: x, command: sh -c 'while [ 1 -lt 2 ]; do :; done', init: true}\n  x: {image: x}\n",
    '2:39',
    /"\[" within a value that has no quotes/,
    /in quotes/,
  ],
  ['a tab', 'services:\n  a:\n\timage: x\n', '3:1', /a tab/, /blanks/],
  ['a line too deep', 'services:\n  a:\n    image: x\n      command: y\n', '4:7', /"command" .* below "image"/, /by 4/],
  ['a line not deep enough', 'services:\n  a:\n    image: x\n   command: y\n', '4:4', /by 3.* 0, 2, 4/, /by 4/],
  ['keys that begin further left', ' services:\n  a: {image: x}\nvolumes: {}\n', '3:1', /"volumes" belongs/, /by 1/],
  ['no colon', 'services:\n  a\n    image: x\n', '2:3', /"a": a colon must stand/, /"a:"/],
  ['no blank after a colon', 'services:\n  a:\n    image:x\n    init: true\n', '3:10', /a blank must/, /"image: x"/],
  [
    'the same in the last line',
    'services:\n  a:\n    image: x\n    init:true\n',
    '4:9',
    /a blank must/,
    /"init: true"/,
  ],
  ['a double quote that stays open', 'services:\n  a:\n    image: "x\n    init: true\n', '3:12', /quote is not closed/],
  [
    'a single quote that stays open',
    "services:\n  a:\n    image: 'x\n  b: {image: 'z'}\n",
    '3:12',
    /quote is not closed/,
  ],
  ['a bracket that stays open', 'services:\n  a:\n    command: [a, b\n    init: true\n', '3:14', /"\]" that closes/],
  ['a brace that stays open', 'services:\n  a: {image: x\n  b: {image: z}\n', '2:6', /"}" that closes/],
  ['a bracket too many', 'services:\n  a:\n    ports: [80:80]]\n', '3:19', /"\]" here: it closes nothing/],
  ['a second colon', 'services:\n  a:\n    image: x: y\n', '3:13', /second ": "/, /in quotes/],
  ['an item indented less', 'services:\n  a:\n    ports:\n      - 80\n    - 81\n', '5:5', /item above it by 6/, /by 6/],
  [
    'a key among items',
    'services:\n  a:\n    labels:\n      - A=1\n      B: 2\n',
    '5:7',
    /"B" among the items/,
    /"- "/,
  ],
  ['an item without dash', 'services:\n  a:\n    ports:\n      - "80"\n      "81"\n', '5:7', /"81" among the items/],
  ['a reserved character', 'services:\n  a:\n    image: @x\n', '3:12', /begin a value with "@"/, /in quotes/],
  ['words after a quote', 'services:\n  a:\n    image: "x" y\n', '3:16', /has ended/, /whole value/],
  ['a backslash in double quotes', 'services:\n  a:\n    command: "\\d"\n', '3:15', /"\\d"/, /single quotes/],
  ['a star', 'services:\n  a:\n    command: * x\n', '3:14', /name of an anchor/, /in quotes/],
  ['text after the bar of a block', 'services:\n  a:\n    command: |x\n      foo\n', '3:15', /nothing may follow/],
  ['an anchor that is not there', 'services:\n  a:\n    <<: *b\n    image: x\n', '3:9', /no anchor "&b"/],
  ['no comma in a list', 'services:\n  a:\n    command: ["a" "b"]\n', '3:19', /a comma must stand/, /a comma before/],
  ['no comma after a quote', 'services:\n  a: {image: "x" init: true}\n', '2:18', /a comma must stand/],
  ['no comma after a word', 'services:\n  a: {image: x init: true}\n', '2:16', /a comma must stand/],
  ['no comma at the end of a line', 'services:\n  a: {image: x\n    init: true}\n', '3:5', /a comma must stand/],
  ['no comma after a brace', 'services:\n  a:\n    ports: [{target: 1} {target: 2}]\n', '3:25', /a comma must stand/],
  ['no comma after a bracket', 'services: {a: {command: [x] init: true}}\n', '1:29', /a comma must stand/],
  ['a comma too many', 'services:\n  a:\n    command: [a,, b]\n', '3:17', /"," here: nothing/, /away/],
  ['braces of a template', 'services:\n  a:\n    image: {{ x }}\n', '3:13', /as a key/, /in quotes/],
]

describe('one slip in a YAML file gives one error, at its line, in words of its author', () => {
  for (const [what, yaml, place, message, hint] of slips)
    test(what, async () => {
      const found = await problems(yaml)
      assert.equal(found.length, 1)
      assert.equal(at(found[0]), `compose.yaml:${place}`)
      assert.match(found[0]!.message, message)
      if (hint) assert.match(found[0]!.hint ?? '', hint)
    })

  test('in whichever document of the file', async () => {
    const found = await problems('services: {a: {image: x}}\n---\nservices:\n  a: {image: x\n')
    assert.deepEqual(found.map(at), ['compose.yaml:4:6'])
  })
})
