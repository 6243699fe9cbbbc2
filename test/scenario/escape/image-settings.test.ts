/** Images whose settings mean harm: what they say is refused in words or done inside, and no engine falls over it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { Hostile, hostileSkip } from '../../support/hostile.ts'
import { patience } from '../../support/patience.ts'
import { busyboxFiles, tinyImageTar } from '../../support/tiny-image.ts'

describe('no way out by the settings of an image:', { skip: hostileSkip(), timeout: 240_000 * patience }, () => {
  let at: Hostile
  before(async () => {
    at = await Hostile.start([])
  })
  after(() => at.stop())

  const long = 'x'.repeat(200_000)
  const up = '../../../../../../..'
  const settings: Readonly<Record<string, object>> = {
    'a NUL in a word': { Cmd: ['echo', 'a\0b'] },
    'a NUL in a variable': { Env: ['A=1\0LD_PRELOAD=/evil.so', 'B=2'] },
    'a NUL in a folder': { WorkingDir: '/a\0b' },
    'a NUL in a user': { User: 'root\0x' },
    'a NUL in a volume': { Volumes: { '/a\0b': {} } },
    'a NUL in a label': { Labels: { 'a\0b': 'c\0d' } },
    'variables without a name': { Env: ['', '=', '=x', 'NOVALUE', '\n=\n', `${'=x'.repeat(100)}`] },
    'a variable without end': { Env: [`LONG=${long}`] },
    'a working folder that is a descriptor': { WorkingDir: '/proc/self/fd/7' },
    'a working folder that goes up': { WorkingDir: `${up}/etc` },
    'a relative working folder': { WorkingDir: 'etc' },
    'a working folder without end': { WorkingDir: `/${long}` },
    'a volume that goes up': { Volumes: { [`${up}/etc`]: {}, '/a/../../../b': {} } },
    'a volume at the root': { Volumes: { '/': {} } },
    'a volume without a name': { Volumes: { '': {}, '.': {}, '..': {} } },
    'a volume in /proc': { Volumes: { '/proc/sys': {} } },
    'a volume in /sys/fs/cgroup': { Volumes: { '/sys/fs/cgroup': {} } },
    'ports that are no ports': {
      ExposedPorts: { '80:80': {}, '-1/tcp': {}, '70000/tcp': {}, 'x; flush ruleset': {}, '80/evil': {} },
    },
    'a port range without end': { ExposedPorts: { '1-65535/tcp': {} } },
    'a user that is no user': { User: '4294967296' },
    'a user without end': { User: long },
    'a signal that is none': { StopSignal: 'SIGEVIL' },
    'a signal beyond the last': { StopSignal: '-9' },
    'a time to stop below zero': { StopTimeout: -5 },
    'a check at every moment': { Healthcheck: { Test: ['CMD', 'true'], Interval: 1, Timeout: 1, Retries: -4 } },
    'a check without words': { Healthcheck: { Test: ['CMD'] } },
    'a check of no kind': { Healthcheck: { Test: ['EVIL', 'x'] } },
    'no words': { Cmd: [], Entrypoint: [] },
    'a word that is empty': { Cmd: [''] },
    'words without end': { Cmd: ['echo', ...Array.from({ length: 40_000 }, () => 'word')] },
    'labels of the engine and of Compose': {
      Labels: {
        'com.docker.compose.project': 'other',
        'io.tscompose.restart.delay': '-1',
        'io.kubernetes.cri-o.annotations': 'x',
        __proto__: 'x',
        constructor: 'y',
      },
    },
  }
  for (const [what, config] of Object.entries(settings))
    test(what, async () => {
      const name = `evil${Object.keys(settings).indexOf(what)}`
      const archive = await tinyImageTar({
        tag: `${name}:1`,
        files: busyboxFiles(),
        config: { Cmd: ['sleep', '1'], ...config },
      })
      const loaded = await at.raw('POST', '/images/load', archive)
      if (loaded.status !== 200 || !loaded.text.includes('Loaded image')) {
        assert.match(loaded.text, /"(message|error)":"/)
        assert.ok(loaded.status < 500, loaded.text)
        return
      }
      const made = await at.raw('POST', `/containers/create?name=${name}`, { Image: `${name}:1` })
      if (made.status === 201) {
        const started = await at.raw('POST', `/containers/${name}/start`)
        const { State } = await at.inspect(name)
        if (started.status === 204 && State.Running) assert.doesNotMatch(environment(State.Pid), /(^|\0)LD_PRELOAD=/)
        // as Docker does, for what the kernel refuses
        assert.ok(started.status < 500 || /^\{"message":"Cannot /.test(started.text), started.text.slice(0, 300))
        assert.equal((await at.raw('GET', `/containers/${name}/json`)).status, 200)
        assert.equal((await at.raw('GET', '/containers/json?all=1')).status, 200)
        assert.equal((await at.raw('DELETE', `/containers/${name}?force=1&v=1`)).status, 204)
      } else assert.ok(made.status < 500, `create: ${made.status} ${made.text.slice(0, 300)}`)
      assert.ok((await at.ping()) < 2000 * patience)
      assert.equal((await at.raw('DELETE', `/images/${name}:1`)).status, 200)
    })

  function environment(pid: number): string {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8')
    } catch {
      // it has ended
      return ''
    }
  }
})
