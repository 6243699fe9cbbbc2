import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseDockerfile } from '../../../src/engine/dockerfile/parse.ts'
import { readInstruction } from '../../../src/engine/dockerfile/read-instruction.ts'
import { parseMount } from '../../../src/engine/dockerfile/run-mount.ts'

const read = (text: string) => readInstruction(parseDockerfile(text).statements[0]!)

describe('readInstruction()', () => {
  const wrong: ReadonlyArray<readonly [text: string, message: string]> = [
    ['FOO x', 'unknown instruction: FOO (did you mean FROM?)'],
    ['rnu x', 'unknown instruction: rnu (did you mean run?)'],
    ['NOTHINGLIKE x', 'unknown instruction: NOTHINGLIKE'],
    ['FROM a b', 'FROM requires either one or three arguments'],
    ['FROM a AS 1', `invalid name for build stage: "1", name can't start with a number or contain symbols`],
    ['FROM --foo=1 a', 'unknown flag: --foo'],
    ['FROM --platfrom=x a', 'unknown flag: --platfrom (did you mean platform?)'],
    ['FROM --platform a', 'missing a value on flag: --platform'],
    ['COPY --link=maybe a b', 'expecting boolean value for flag --link, not: maybe'],
    ['COPY --link= a b', 'missing a value on flag: --link'],
    ['COPY --chown=1 --chown=2 a b', 'duplicate flag specified: --chown'],
    ['COPY a', 'COPY requires at least two arguments, but only one was provided. Destination could not be determined'],
    [
      'ADD ["a"]',
      'ADD requires at least two arguments, but only one was provided. Destination could not be determined',
    ],
    ['ENV =a', 'ENV names can not be blank'],
    ['ENV', 'ENV requires at least one argument'],
    ['ARG', 'ARG requires at least one argument'],
    ['LABEL --x a=b', 'unknown flag: --x'],
    ['USER', 'USER requires exactly one argument'],
    ['WORKDIR', 'WORKDIR requires exactly one argument'],
    ['STOPSIGNAL', 'STOPSIGNAL requires exactly one argument'],
    ['SHELL []', 'SHELL requires at least one argument'],
    ['SHELL x', 'SHELL requires the arguments to be in JSON form'],
    ['VOLUME [" "]', 'VOLUME specified can not be an empty string'],
    ['EXPOSE', 'EXPOSE requires at least one argument'],
    ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
    ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
    ['HEALTHCHECK curl', 'Unknown type "CURL" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK --interval=1us CMD x', 'Interval "interval" cannot be less than 1ms'],
    ['HEALTHCHECK --timeout=1d CMD x', 'time: unknown unit "d" in duration "1d"'],
    ['HEALTHCHECK --timeout=x CMD x', 'time: invalid duration "x"'],
    ['HEALTHCHECK --retries=-1 CMD x', '--retries cannot be negative (-1)'],
    ['HEALTHCHECK --retries=x CMD x', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['ONBUILD', 'ONBUILD requires at least one argument'],
    ['ONBUILD ONBUILD RUN x', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ['ONBUILD maintainer x', "MAINTAINER isn't allowed as an ONBUILD trigger"],
    ['RUN --network=bridge x', 'invalid network mode "bridge"'],
    ['RUN --security=root x', 'security "root" is not valid'],
    ['RUN --mount=from=$X,target=/x y', "'from' doesn't support variable expansion, define alias stage instead"],
    ['RUN --mount= y', 'failed to parse csv mounts: EOF'],
    [`RUN --mount='a"b' y`, 'failed to parse csv mounts: parse error on line 1, column 2: bare " in non-quoted-field'],
  ]
  for (const [text, message] of wrong) {
    test(`refuses ${text}`, () => assert.throws(() => read(text), { kind: 'invalid', message }))
  }

  test('sorts the ports of EXPOSE', () => {
    const found = read('EXPOSE 90 8080 80/udp')
    assert.deepEqual(found.name === 'expose' && found.values, ['80/udp', '8080', '90'])
  })

  test('takes -- for the end of flags', () => {
    const found = read('RUN -- --mount=x')
    assert.deepEqual(found.name === 'run' && found.command, { words: ['--mount=x'], shell: true })
  })

  test('makes a heredoc part of the text of a trigger', () => {
    const found = read('ONBUILD RUN <<E\nx\nE')
    assert.equal(found.name === 'onbuild' && found.trigger, 'RUN <<E\nx\nE')
  })
})

describe('parseMount()', () => {
  const mount = (text: string) => parseMount(text, word => word.replace('$ID', '7'))

  const cases: ReadonlyArray<readonly [text: string, members: object]> = [
    ['target=/a', { type: 'bind', target: '/a', readonly: true }],
    ['type=bind,dst=/a,rw', { readonly: false }],
    ['type=bind,destination=/a,readonly=false', { target: '/a', readonly: false }],
    ['type=cache,target=/a', { readonly: false, sharing: undefined, id: '' }],
    ['TYPE=Cache,target=/a,sharing=LOCKED,ro,id=x', { type: 'cache', sharing: 'locked', readonly: true, id: 'x' }],
    ['type=cache,target=/a,uid=$ID,gid=8,mode=0750', { uid: 7, gid: 8, mode: 0o750 }],
    ['type=tmpfs,target=/a,size=64m', { size: 64 * 1024 ** 2 }],
    ['type=secret,id=a,required', { required: true }],
    ['type=secret,id=a,env=TOKEN,required=false', { env: 'TOKEN', required: false }],
    ['"type=bind","target=/a,""b"""', { target: '/a,"b"' }],
  ]
  for (const [text, members] of cases) {
    test(`reads ${text}`, () => {
      const found = mount(text)
      assert.deepEqual({ ...found, ...members }, found)
    })
  }

  const wrong: ReadonlyArray<readonly [text: string, message: string]> = [
    ['type=volume,target=/a', 'unsupported mount type "volume"'],
    ['type=tmp,target=/a', 'unsupported mount type "tmp" (did you mean tmpfs?)'],
    ['type=cache,sharing=none', 'unsupported sharing value "none"'],
    ['target=/a,mod=1', `unexpected key 'mod' in 'mod=1' (did you mean mode?)`],
    ['target', `invalid field 'target' must be a key=value pair`],
    ['type=bind,required', `unexpected key 'required' for mount type 'bind'`],
    ['type=bind,size=1', `unexpected key 'size' for mount type 'bind'`],
    ['type=tmpfs,size=x', 'invalid value for size: x'],
    ['type=bind,ro=x', 'invalid value for ro: x'],
    ['type=cache,mode=8', 'invalid value 8 for mode'],
    ['type=cache,uid=-1', 'invalid value -1 for uid'],
    ['type=bind,uid=1', 'uid not allowed for "bind" type mounts'],
    ['type=tmpfs,mode=1', 'mode not allowed for "tmpfs" type mounts'],
    ['type=secret', 'invalid secret mount. one of source, target required'],
    ['type=secret,src=a,id=b', "both source and id can't be set"],
    ['type=secret,id=a,from=b', 'secret mount should not have a from'],
    ['type=ssh,sharing=shared', 'invalid cache sharing set for ssh mount'],
  ]
  for (const [text, message] of wrong) {
    test(`refuses ${text}`, () => assert.throws(() => mount(text), { kind: 'invalid', message }))
  }
})
