import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { findSettings, loadSettings } from '../../../src/engine/settings/find.ts'
import { parseSettings, readSettings } from '../../../src/engine/settings/read.ts'
import { settingsSchema } from '../../../src/engine/settings/schema.ts'
import { ProblemsFailure } from '../../../src/lib/problems.ts'
import { temporaryFolder } from '../../support/temporary-paths.ts'

/** "LINE:COLUMN path: message" of each problem. */
function problems(text: string): readonly string[] {
  try {
    parseSettings(text, 'engine.yaml')
  } catch (error) {
    if (!(error instanceof ProblemsFailure)) throw error
    return error.problems.map(
      ({ place, path, message, hint }) =>
        `${place!.line}:${place!.column} ${path.join('.')}: ${message}${hint ? ` (${hint})` : ''}`,
    )
  }
  return []
}

describe('parseSettings()', () => {
  test('reads YAML, and JSON as it always was', () => {
    const text = '# ours\nip: 127.0.0.1\ndefault-shm-size: 64m\nlog-opts: { max-size: "5m" }\n'
    const read = { ip: '127.0.0.1', 'default-shm-size': 64 * 1024 ** 2, 'log-opts': { 'max-size': '5m' } }
    assert.deepEqual(parseSettings(text, 'x'), read)
    assert.deepEqual(parseSettings('{"ip":"127.0.0.1"}', 'x'), { ip: '127.0.0.1' })
    for (const nothing of ['', '# nothing\n', '{}']) assert.deepEqual(parseSettings(nothing, 'x'), {})
  })

  test('tells all that is wrong, each with its line and column', () => {
    const text = [
      'ip: localhost',
      'registry-miror: []',
      'archive-limits:',
      '  entries: 0',
      '  files: 5',
      'default-address-pools:',
      '  - 10.0.0.0/8',
      '  - base: 10.0.0.0/16',
      '    size: 8',
      'default-ulimits:',
      '  nofiles: 5',
      'default-cap-drop: [NET_RAW, FLY]',
      'builder: { gc: { defaultMinFreeSpace: much } }',
    ].join('\n')
    assert.deepEqual(problems(text).toSorted(), [
      '11:12 default-ulimits.nofiles: invalid ulimit type: nofiles',
      '12:29 default-cap-drop.1: invalid CapDrop: unknown capability: "CAP_FLY"',
      '13:39 builder.gc.defaultMinFreeSpace: "much" should be an amount, such as 10GB',
      '1:5 ip: it should be an IPv4 address',
      '2:1 registry-miror: There is no such setting (Did you mean "registry-mirrors"?)',
      '4:12 archive-limits.entries: Too small: expected number to be >=1',
      '5:3 archive-limits.files: There is no such setting',
      '8:5 default-address-pools.1: Cannot use address pool "10.0.0.0/16": networks of /8 should be from /16 to /29',
    ])
  })

  test('refuses what is no YAML, comes twice, or is no list of settings', () => {
    assert.match(problems('ip: [')[0]!, /^1:6 : Flow sequence/)
    assert.match(problems('ip: 1.1.1.1\nip: 1.1.1.2\n')[0]!, /^2:1 : Map keys must be unique/)
    assert.match(problems('- ip')[0]!, /^1:1 : Invalid input: expected object, received array/)
    assert.match(problems('1: 2')[0]!, /must be strings|no such setting/)
  })

  test('a bomb of aliases is refused before it grows', () => {
    const bomb = [
      'a: &a [x, x]',
      ...Array.from({ length: 30 }, (_, i) => `${i}: &l${i} [*${i ? `l${i - 1}` : 'a'}, *${i ? `l${i - 1}` : 'a'}]`),
    ].join('\n')
    assert.ok(problems(bomb).length > 0)
  })
})

describe('settings files', () => {
  test('the one that is named, or one of the usual ones, and never two', t => {
    const folder = temporaryFolder(t)
    const [yaml, json] = [join(folder, 'engine.yaml'), join(folder, 'engine.json')]
    assert.equal(findSettings(undefined, [yaml, json]), undefined)
    writeFileSync(json, '{}')
    assert.equal(findSettings(undefined, [yaml, json]), json)
    writeFileSync(yaml, '')
    assert.throws(() => findSettings(undefined, [yaml, json]), {
      kind: 'invalid',
      message: `Cannot choose settings: there are "${yaml}" and "${json}"`,
    })
    assert.equal(findSettings('/named', [yaml, json]), '/named')
  })

  test('that cannot be read are an error, also where a file is large', async t => {
    const path = join(temporaryFolder(t), 'engine.yaml')
    await assert.rejects(loadSettings(path), { kind: 'invalid', message: `Cannot read settings "${path}": ENOENT` })
    writeFileSync(path, `# ${'x'.repeat(1024 * 1024)}`)
    assert.throws(() => readSettings(path), /it has 1048578 bytes, and 1048576 are read at most/)
    writeFileSync(path, 'group: docker\n')
    assert.deepEqual(await loadSettings(path), { group: 'docker' })
  })
})

test('each setting says what it is', () => {
  for (const [name, shape] of Object.entries(settingsSchema.shape)) assert.ok(shape.unwrap().description, name)
})
