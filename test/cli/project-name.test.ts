import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { quickProject } from '../../src/cli/project-name.ts'
import { loadStack } from '../../src/stack/load.ts'

const root = mkdtempSync(join(tmpdir(), 'tscompose-name-'))
after(() => rmSync(root, { recursive: true }))
let count = 0

interface Case {
  readonly files: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
  readonly folder?: string
  readonly below?: string
}

function folderOf({ files, folder = 'shop' }: Case): string {
  const path = join(root, String(count++), folder)
  mkdirSync(join(path, 'below'), { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

const services = 'services: {web: {image: a}}\n'

describe('quickProject()', () => {
  const cases: Readonly<Record<string, Case>> = {
    'a name: line': { files: { 'compose.yaml': `name: other\n${services}` } },
    'a quoted name with a comment': { files: { 'compose.yml': `${services}name: "other"  # mine\n` } },
    'the folder': { files: { 'docker-compose.yml': services }, folder: 'My.Shop_1' },
    'a folder above': { files: { 'compose.yaml': services }, below: 'below' },
    'the variable': { files: { 'compose.yaml': services }, environment: { COMPOSE_PROJECT_NAME: 'given' } },
    'name: inside a text': { files: { 'compose.yaml': `${services}x-a: |\n  name: wrong\n` } },
    'name: of a service': { files: { 'compose.yaml': 'services:\n  name:\n    image: a\n' } },
  }
  for (const [what, given] of Object.entries(cases))
    test(`agrees with the loader: ${what}`, async () => {
      const cwd = join(folderOf(given), given.below ?? '.')
      const options = { cwd, environment: given.environment ?? {} }
      const quick = quickProject(options)?.name
      assert.equal(quick, (await loadStack(options)).project.name)
    })

  const left: Readonly<Record<string, Case>> = {
    'a variable in the name': { files: { 'compose.yaml': `name: \${X:-y}\n${services}` } },
    JSON: { files: { 'compose.yaml': `{"name": "x", "services": {}}` } },
    'several documents': { files: { 'compose.yaml': `name: a\n---\nname: b\n` } },
    'an override file': { files: { 'compose.yaml': services, 'compose.override.yaml': 'name: x\n' } },
    '.env that speaks of Compose': { files: { 'compose.yaml': services, '.env': 'COMPOSE_PROJECT_NAME=x\n' } },
    'no file': { files: {} },
  }
  for (const [what, given] of Object.entries(left))
    test(`leaves to the loader: ${what}`, () => {
      const cwd = folderOf(given)
      // a stack file above the temporary folder would be found
      assert.equal(quickProject({ cwd, environment: {} }), undefined)
    })

  test('leaves a name that is none to the loader', () => {
    assert.equal(quickProject({ cwd: root, environment: {}, projectName: 'No Name' }), undefined)
  })
})
