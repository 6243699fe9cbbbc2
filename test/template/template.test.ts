import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Failure } from '../../src/lib/failure.ts'
import { evaluate } from '../../src/template/evaluate.ts'
import { functions } from '../../src/template/functions.ts'
import { parseTemplate } from '../../src/template/syntax.ts'

const row = {
  Name: 'shop-web-1',
  ExitCode: 3,
  Health: '',
  Ports: '0.0.0.0:80->80/tcp',
  Publishers: [
    { URL: '0.0.0.0', TargetPort: 80, PublishedPort: 8080, Protocol: 'tcp' },
    { URL: '::', TargetPort: 81, PublishedPort: 0, Protocol: 'udp' },
  ],
  Networks: 'a,b',
  Own: new Map([
    ['b', 'two'],
    ['a', 'one'],
  ]),
  List: ['x', 'y', 'z'],
  Empty: [],
  Label: (name: string) => `label ${name}`,
}

function render(source: string): string {
  return evaluate(parseTemplate(source, new Set([...Object.keys(functions), 'and', 'or'])), row, functions)
}

const cases: readonly (readonly [template: string, expected: string])[] = [
  ['plain', 'plain'],
  ['{{.Name}}', 'shop-web-1'],
  ['a {{- .Name -}} b', 'ashop-web-1b'],
  ['{{/* nothing */}}x{{- /* trims */ -}} y', 'xy'],
  ['{{.Label "x"}} {{.Label `y`}} {{"z" | .Label}}', 'label x label y label z'],
  ['{{.Name | upper | printf "%s!"}}', 'SHOP-WEB-1!'],
  [
    '{{printf "%-6s|%4d|%05d|%.2f|%q|%v|%x|%%" "a" 7 42 1.5 "q\\"" true 255}}',
    'a     |   7|00042|1.50|"q\\""|true|ff|%',
  ],
  ['{{printf "%d %s" "no"}}', '%!d(string=no) %!s(MISSING)'],
  ['{{printf "x" 1}}', 'x%!(EXTRA int=1)'],
  ['{{println .Name .ExitCode}}', 'shop-web-1 3\n'],
  ['{{print 1 2 "a" "b" 3}}', '1 2ab3'],
  ['{{if .Health}}h{{else if eq .ExitCode 3}}three{{else}}other{{end}}', 'three'],
  ['{{if and .Name (not .Health) (gt .ExitCode 2)}}yes{{end}}', 'yes'],
  ['{{or .Health "none"}} {{and .Name .Health}}.', 'none .'],
  ['{{with .Health}}{{.}}{{else}}no{{end}} {{with $n := .Name}}{{$n}} {{.}}{{end}}', 'no shop-web-1 shop-web-1'],
  ['{{range .Publishers}}{{.URL}}:{{.PublishedPort}} {{end}}', '0.0.0.0:8080 :::0 '],
  ['{{range $i, $p := .Publishers}}{{if $i}}, {{end}}{{$p.TargetPort}}/{{$p.Protocol}}{{end}}', '80/tcp, 81/udp'],
  ['{{range $k, $v := .Own}}{{$k}}={{$v}};{{end}}', 'a=one;b=two;'],
  ['{{range .Empty}}x{{else}}none{{end}}', 'none'],
  ['{{range .List}}{{if eq . "y"}}{{continue}}{{end}}{{.}}{{if eq . "z"}}{{break}}{{end}}{{end}}', 'xz'],
  ['{{range 3}}{{.}}{{end}}', '012'],
  ['{{$x := 1}}{{range .List}}{{$x = .}}{{end}}{{$x}}', 'z'],
  ['{{(index .Publishers 0).URL}} {{index .Own "a"}} {{index .List 2}}', '0.0.0.0 one z'],
  ['{{.Own.a}} {{.Own.c}}', 'one <no value>'],
  ['{{$.Name}} {{range .List}}{{$.ExitCode}}{{end}}', 'shop-web-1 333'],
  ['{{len .List}} {{len .Name}} {{slice .Name 0 4}} {{slice .List 1}}', '3 10 shop [y z]'],
  ['{{eq .Name "a" "shop-web-1"}} {{ne 1 2}} {{lt "a" "b"}} {{ge 2 2}}', 'true true true true'],
  ['{{split .Networks ","}} {{join (split .Networks ",") "+"}}', '[a b] a+b'],
  ['{{title "one two"}} {{lower "A"}} {{truncate .Name 4}} [{{pad "x" 1 2}}]', 'One Two a shop [ x  ]'],
  ['{{json .Name}} {{json .Publishers}}', `"shop-web-1" ${JSON.stringify(row.Publishers)}`],
  ['{{json .List}} {{json .Own}} {{.List}} {{.Own}}', '["x","y","z"] {"a":"one","b":"two"} [x y z] map[a:one b:two]'],
  ['{{index .Publishers 0}}', '{0.0.0.0 80 8080 tcp}'],
  ['{{html "<a>"}} {{urlquery "a b&"}}', '&lt;a&gt; a+b%26'],
  ["{{'a'}} {{0x10}} {{-3}} {{1.5}} {{true}}", '97 16 -3 1.5 true'],
]

const wrong: readonly (readonly [template: string, message: RegExp])[] = [
  ['{{.Bogus}}', /^template parsing error: template: :1:3: can't evaluate field Bogus$/],
  ['x\n  {{.Name}} {{.Bogus}}', /:2:15: can't evaluate field Bogus/],
  ['{{.Name.Deeper}}', /can't evaluate field Deeper/],
  ['{{.Name', /:1:1: unclosed action/],
  ['{{nope .Name}}', /:1:3: function "nope" not defined/],
  ['{{if .Name}}x', /:1:3: unexpected EOF: {{if}} has no {{end}}/],
  ['{{end}}', /:1:3: unexpected {{end}}/],
  ['{{else}}', /unexpected {{else}}/],
  ['{{if .Name}}{{else}}{{else}}{{end}}', /expected end/],
  ['{{}}', /missing value for command/],
  ['{{.Name | }}', /missing value for command/],
  ['{{$x}}', /undefined variable "\$x"/],
  ['{{"a}}', /unterminated quoted string/],
  ['{{.Name ?}}', /unexpected "\?" in action/],
  ['{{(.Name}}', /unclosed left paren/],
  ['{{.Name)}}', /unexpected "\)" in command/],
  ['{{index .List 9}}', /:1:3: index out of range: 9/],
  ['{{eq .Name 1}}', /incompatible types for comparison/],
  ['{{upper 1}}', /wrong type for value of upper/],
  ['{{upper}}', /wrong number of args: want 1 got 0/],
  ['{{.Label}}', /wrong number of args: want 1 got 0/],
  ['{{.Name "x"}}', /Name has arguments but cannot be invoked/],
  ['{{range .ExitCode}}{{.Nope}}{{end}}', /can't evaluate field Nope/],
  ['{{range .Name}}{{end}}', /range can't iterate over shop-web-1/],
  ['{{break}}', /{{break}} outside {{range}}/],
  ['{{template "x"}}', /{{template}} is not supported/],
  ['{{.constructor}}', /can't evaluate field constructor/],
  ['{{constructor}}', /function "constructor" not defined/],
  ['{{.__proto__}}', /can't evaluate field __proto__/],
]

describe('templates', () => {
  for (const [source, expected] of cases)
    test(`${source.replaceAll('\n', '\\n')} gives ${JSON.stringify(expected)}`, () =>
      assert.equal(render(source), expected))

  for (const [source, message] of wrong)
    test(`${source.replaceAll('\n', '\\n')} is refused with its place`, () => {
      assert.throws(
        () => render(source),
        error => {
          assert.ok(error instanceof Failure, String(error))
          assert.match(error.message, message)
          return true
        },
      )
    })

  test('a field that is not there comes with those that are', () => {
    assert.throws(() => render('{{.Bogus}}'), { hint: /^Fields are Empty, ExitCode, Health/ })
  })

  test('a whole row is escaped as by Go, a single value is not', () => {
    assert.match(render('{{json .}}'), /0\.0\.0\.0:80-\\u003e80/)
    assert.match(render('{{json .Ports}}'), /0\.0\.0\.0:80->80/)
  })
})
