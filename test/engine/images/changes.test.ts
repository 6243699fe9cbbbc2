import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseChanges } from '../../../src/engine/images/changes.ts'

describe('parseChanges()', () => {
  const cases: ReadonlyArray<readonly [readonly string[], object]> = [
    [['CMD echo hi'], { Cmd: ['/bin/sh', '-c', 'echo hi'] }],
    [['cmd ["a", "b c"]'], { Cmd: ['a', 'b c'] }],
    [['CMD [ -f /x ] && run'], { Cmd: ['/bin/sh', '-c', '[ -f /x ] && run'] }],
    [['ENV A=1', 'ENV A=${A}2 B="$A $C"'], { Env: ['A=12', 'B=1 '] }],
    [['CMD a \\', ' b'], { Cmd: ['/bin/sh', '-c', 'a  b'] }],
    [['ONBUILD RUN x', 'STOPSIGNAL term'], { OnBuild: ['RUN x'], StopSignal: 'term' }],
    [['EXPOSE 0 127.0.0.1:80:81'], { ExposedPorts: { '0/tcp': {}, '81/tcp': {} } }],
    [['ENV A=1', 'ENV A=2 B="x y"', "ENV C='q'\\ r"], { Env: ['A=2', 'B=x y', 'C=q r'] }],
    [['ENV OLD style value'], { Env: ['OLD=style value'] }],
    [['LABEL a=b\nUSER app'], { Labels: { a: 'b' }, User: 'app' }],
    [['WORKDIR /a', 'WORKDIR b'], { WorkingDir: '/a/b' }],
    [['EXPOSE 80-81 53/UDP'], { ExposedPorts: { '80/tcp': {}, '81/tcp': {}, '53/udp': {} } }],
    [['VOLUME ["/a", "/b"]'], { Volumes: { '/a': {}, '/b': {} } }],
    [['HEALTHCHECK NONE'], { Healthcheck: { Test: ['NONE'] } }],
    [
      ['HEALTHCHECK --timeout=1m30s --start-period=2s CMD ["x"]'],
      { Healthcheck: { Test: ['CMD', 'x'], Timeout: 90e9, StartPeriod: 2e9 } },
    ],
    [[' '], {}],
  ]
  for (const [changes, config] of cases)
    test(`reads ${JSON.stringify(changes)}`, () => {
      assert.deepEqual(parseChanges(changes), config)
    })

  for (const change of [
    'RUN x',
    'EXPOSE 70000',
    'EXPOSE 9-8',
    'ENV A',
    'LABEL a=b c',
    'SHELL ["x"]',
    'HEALTHCHECK x',
    'HEALTHCHECK --interval=x CMD y',
    'HEALTHCHECK --nosuch=1s CMD y',
    '=x',
  ])
    test(`refuses ${change}`, () => {
      assert.throws(() => parseChanges([change]), { kind: 'invalid' })
    })
})
