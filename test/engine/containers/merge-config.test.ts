import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type ConfigRequest,
  type ImageDefaults,
  mergeConfig,
  normalPort,
} from '../../../src/engine/containers/config/merge-config.ts'

const merged = (body: ConfigRequest, image: ImageDefaults = {}) =>
  mergeConfig({ Cmd: ['sh'], ...body }, image, { hostname: 'abc' })

describe('a port is written as Docker writes it', () => {
  for (const [text, port] of [
    ['7000', '7000/tcp'],
    ['53/UDP', '53/udp'],
    ['80-80', '80/tcp'],
  ] as const)
    test(text, () => assert.equal(normalPort(text), port))
  for (const text of ['80-81', 'x', '80/ip', ''])
    test(`but not "${text}"`, () =>
      assert.throws(() => normalPort(text), { kind: 'invalid', message: `invalid port specification: "${text}"` }))
})

test('a body that says nothing has all that the image has', () => {
  const image: ImageDefaults = {
    ...{ User: 'web', Env: ['A=1'], Cmd: ['serve'], Entrypoint: ['/init'], WorkingDir: '/srv//app/../web/' },
    ...{ ExposedPorts: { '80/tcp': {}, 443: {} }, Volumes: { '/data': {} }, Labels: { a: '1' } },
    ...{ Healthcheck: { Test: ['CMD', 'check'] }, StopSignal: 'SIGQUIT', Shell: ['/bin/ash'] },
  }
  assert.deepEqual(mergeConfig({}, image, { hostname: 'abc' }), {
    ...{ Hostname: 'abc', Domainname: '', User: 'web', AttachStdin: false, AttachStdout: false, AttachStderr: false },
    ...{ ExposedPorts: { '443/tcp': {}, '80/tcp': {} }, Tty: false, OpenStdin: false, StdinOnce: false, Env: ['A=1'] },
    ...{ Cmd: ['serve'], Healthcheck: { Test: ['CMD', 'check'] }, Image: '', Volumes: { '/data': {} } },
    ...{ WorkingDir: '/srv/web', Entrypoint: ['/init'], OnBuild: null, Labels: { a: '1' }, StopSignal: 'SIGQUIT' },
    ...{ StopTimeout: undefined, Shell: ['/bin/ash'] },
  })
})

test('what a body says stands before the image, or beside it where both can be', () => {
  const image: ImageDefaults = {
    ...{ User: 'web', Cmd: ['serve'], WorkingDir: '/srv', ExposedPorts: { 80: {} }, Volumes: { '/data': {} } },
    ...{ Labels: { a: '1', b: '1' }, StopSignal: 'SIGQUIT', Shell: ['/bin/ash'] },
  }
  const body: ConfigRequest = {
    ...{ Hostname: 'web.a_b', Domainname: 'example.org', User: '5', AttachStdin: true, AttachStdout: true },
    ...{
      AttachStderr: true,
      ExposedPorts: { '80/tcp': {}, '53/udp': {} },
      Tty: true,
      OpenStdin: true,
      StdinOnce: true,
    },
    ...{ Env: ['B=2'], Cmd: ['other'], Image: 'web:1', Volumes: { '/more': {} }, WorkingDir: '/', Labels: { b: '2' } },
    ...{ StopSignal: '9', StopTimeout: 0, Shell: ['/bin/zsh'] },
  }
  assert.deepEqual(merged(body, image), {
    ...{ Hostname: 'web.a_b', Domainname: 'example.org', User: '5', AttachStdin: true, AttachStdout: true },
    ...{ AttachStderr: true, ExposedPorts: { '53/udp': {}, '80/tcp': {} }, Tty: true, OpenStdin: true },
    ...{ StdinOnce: true, Env: merged({ Env: ['B=2'] }).Env, Cmd: ['other'], Healthcheck: undefined, Image: 'web:1' },
    ...{ Volumes: { '/data': {}, '/more': {} }, WorkingDir: '/', Entrypoint: null, OnBuild: null },
    ...{ Labels: { a: '1', b: '2' }, StopSignal: '9', StopTimeout: 0, Shell: ['/bin/zsh'] },
  })
  const bare = merged({})
  assert.deepEqual(
    [bare.Volumes, bare.WorkingDir, bare.StopSignal, 'ExposedPorts' in bare, 'Shell' in bare],
    [null, '', undefined, false, false],
  )
})

describe('entrypoint and command of a body and of an image:', () => {
  const image = { Entrypoint: ['/init'], Cmd: ['serve'] }
  const cases: readonly (readonly [string, ConfigRequest, readonly [entrypoint: unknown, cmd: unknown]])[] = [
    ['a command alone is the entrypoint’s', { Cmd: ['x'] }, [['/init'], ['x']]],
    ['an entrypoint drops the command of the image', { Entrypoint: ['e'] }, [['e'], null]],
    ['both are taken', { Entrypoint: ['e'], Cmd: ['x'] }, [['e'], ['x']]],
    ['an empty one leaves the command', { Entrypoint: [] }, [[], ['serve']]],
    ['one of nothing drops both', { Entrypoint: [''], Cmd: ['x'] }, [null, ['x']]],
    ['an empty command says nothing', { Cmd: [] }, [['/init'], ['serve']]],
    ['two empty words are an entrypoint', { Entrypoint: ['', ''] }, [['', ''], null]],
  ]
  for (const [title, body, wanted] of cases)
    test(title, () => {
      const { Entrypoint, Cmd } = mergeConfig(body, image, { hostname: 'abc' })
      assert.deepEqual([Entrypoint, Cmd], wanted)
    })

  test('nothing to run is refused', () => {
    const refused = { kind: 'invalid', message: 'no command specified' }
    assert.throws(() => mergeConfig({}, { Entrypoint: [], Cmd: [] }, { hostname: 'abc' }), refused)
    assert.throws(() => mergeConfig({ Entrypoint: [''] }, image, { hostname: 'abc' }), refused)
  })
})

describe('a healthcheck', () => {
  const of = (
    own: Record<string, unknown> | undefined,
    image: Record<string, unknown> = { Test: ['CMD', 'a'], Interval: 5e9, Retries: 3 },
  ) => merged({ Healthcheck: own }, { Healthcheck: image }).Healthcheck

  test('has what is not said from the image, unless it says what is run', () => {
    assert.deepEqual(of(undefined), { Test: ['CMD', 'a'], Interval: 5e9, Retries: 3 })
    assert.deepEqual(of({ Interval: 1e9, Timeout: 0, Test: [], Retries: null }), {
      ...{ Test: ['CMD', 'a'], Interval: 1e9, Retries: 3 },
    })
    assert.deepEqual(of({ Test: ['CMD-SHELL', 'b'] }), { Test: ['CMD-SHELL', 'b'] })
    assert.deepEqual(of({ Test: ['NONE'] }), { Test: ['NONE'] })
    assert.equal(of({ Interval: 1e9 }, {}), undefined)
  })

  for (const [own, message] of [
    [{ Interval: 999_999 }, 'Interval in Healthcheck cannot be less than 1ms'],
    [{ Timeout: 1 }, 'Timeout in Healthcheck cannot be less than 1ms'],
    [{ StartPeriod: -1 }, 'StartPeriod in Healthcheck cannot be less than 1ms'],
    [{ StartInterval: 1 }, 'StartInterval in Healthcheck cannot be less than 1ms'],
    [{ Retries: -1 }, 'Retries in Healthcheck cannot be negative'],
    [{ Test: ['RUN'] }, 'invalid healthcheck: Test starts with "RUN", it should be NONE, CMD or CMD-SHELL'],
  ] as const)
    test(`is refused: ${message}`, () => assert.throws(() => of(own), { kind: 'invalid', message }))

  test('may wait one millisecond', () => assert.equal(of({ Interval: 1_000_000, Retries: 0 })?.Interval, 1_000_000))
})

describe('a body is refused', () => {
  const long = 'a'.repeat(65)
  for (const [body, message] of [
    [{ StopSignal: 'SIGNONE' }, 'invalid signal: SIGNONE'],
    [{ Hostname: 'a b' }, 'invalid hostname format: a b'],
    [{ Hostname: long }, `invalid hostname format: ${long}`],
    [{ Domainname: 'a/b' }, 'invalid domain name format: a/b'],
    [{ WorkingDir: 'srv' }, "the working directory 'srv' is invalid, it needs to be an absolute path"],
    [{ Env: [''] }, 'invalid environment variable: '],
    [{ Env: ['A=1', '=x'] }, 'invalid environment variable: =x'],
    [{ Env: ['A=\0'] }, 'invalid environment variable: A=\0'],
  ] as const)
    test(JSON.stringify(message), () => assert.throws(() => merged(body), { kind: 'invalid', message }))

  test('but not for the longest name there can be', () =>
    assert.equal(merged({ Hostname: long.slice(1) }).Hostname.length, 64))
})
