import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { at, load, loadFiles } from './stacks.ts'

const unset = (loaded: Awaited<ReturnType<typeof load>>): string[] =>
  loaded.warnings
    .filter(({ code }) => code === 'unset-variable')
    .map(problem => `${at(problem)} ${/"(.*?)"/.exec(problem.message)?.[1]}`)

describe('loadStack() warns of a variable that is not set and has no default', () => {
  test('once, at its first place, in the words of Compose', async () => {
    const loaded = await load('services:\n  a:\n    image: "x:$TAG"\n    command: echo $TAG ${TAG}\n')
    assert.deepEqual(unset(loaded), ['compose.yaml:3:15 TAG'])
    assert.equal(loaded.warnings[0]!.message, 'The "TAG" variable is not set. Defaulting to a blank string.')
    assert.deepEqual(loaded.warnings[0]!.path, ['services', 'a', 'image'])
  })

  test('but not of one with a default, an alternative, or set to nothing', async () => {
    const command = '${A:-x} ${B-} ${C:+x} ${D+x} $E $$F'
    assert.deepEqual(unset(await load(`services: {a: {image: x, command: "${command}"}}\n`, { env: { E: '' } })), [])
  })

  test('also within the default of another one', async () => {
    assert.deepEqual(unset(await load('services: {a: {image: "${A:-$B}"}}\n', { env: { A: 'x' } })), [
      'compose.yaml:1:29 B',
    ])
  })

  test('in .env, env_file, label_file and an included file, with file and line', async () => {
    const loaded = await loadFiles({
      'compose.yaml': 'include: [sub.yaml]\nservices: {a: {image: x, env_file: e.env, label_file: l.env}}\n',
      'sub.yaml': 'services: {b: {image: "x$IN_SUB"}}\n',
      '.env': 'OK=1\nA="$IN_DOT"\n',
      'e.env': 'B=$IN_ENV_FILE\n',
      'l.env': '\nC=$IN_LABELS\n',
    })
    assert.deepEqual(unset(loaded), [
      '.env:2:1 IN_DOT',
      'sub.yaml:1:25 IN_SUB',
      'e.env:1:1 IN_ENV_FILE',
      'l.env:2:1 IN_LABELS',
    ])
  })

  test('but not when variables are left as they stand', async () => {
    assert.deepEqual(unset(await load('services: {a: {image: "$A"}}\n', { interpolate: false })), [])
  })
})
