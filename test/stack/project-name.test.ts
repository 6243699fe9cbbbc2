import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFailure } from '../../src/lib/failure.ts'
import { loadFiles, problems } from './stacks.ts'

type Options = Parameters<typeof loadFiles>[1]
const web = 'services: {web: {image: web}}\n'

describe('the name of a project', () => {
  const cases: readonly (readonly [what: string, files: readonly string[], options: Options, name: string])[] = [
    ['is that of the folder', [web], {}, 'shop'],
    ['is the one that the stack has', [`name: own\n${web}`], {}, 'own'],
    ['is made to fit', [`name: "-_Own Shop.1"\n${web}`], {}, 'ownshop1'],
    ['has variables filled in', [`name: "a-\${B-none}"\n${web}`], { env: { B: 'c' } }, 'a-c'],
    ['has none filled in where that is not wanted', [`name: "a-\${B-c}"\n${web}`], { interpolate: false }, 'a-b-c'],
    ['is that of the last file that has one', [`name: a\n${web}`, `name: b\n${web}`, web], {}, 'b'],
    ['is no empty one', [`name: a\n${web}`, `name: ""\n${web}`], {}, 'a'],
    ['is the one asked for', [`name: own\n${web}`], { projectName: 'asked' }, 'asked'],
    ['is that of COMPOSE_PROJECT_NAME', [`name: own\n${web}`], { env: { COMPOSE_PROJECT_NAME: 'of-env' } }, 'of-env'],
    [
      'is the one asked for before that of COMPOSE_PROJECT_NAME',
      [web],
      { projectName: 'asked', env: { COMPOSE_PROJECT_NAME: 'of-env' } },
      'asked',
    ],
  ]
  for (const [what, stacks, options, name] of cases)
    test(what, async () => {
      const named = stacks.map((stack, index) => [`${index}.yaml`, stack] as const)
      const files = named.map(([file]) => file)
      const { project, environment } = await loadFiles(Object.fromEntries(named), { files, ...options })
      assert.equal(project.name, name)
      // the stack sees it
      assert.equal(environment['COMPOSE_PROJECT_NAME'], name)
    })

  test('must fit when it is asked for', async () => {
    for (const given of ['Shop', '-shop', '_shop', 'a b', 'a.b', 'ä'])
      for (const options of [{ projectName: given }, { env: { COMPOSE_PROJECT_NAME: given } }])
        await assert.rejects(
          loadFiles({ 'compose.yaml': web }, options),
          error =>
            isFailure(error, 'invalid') &&
            error.message ===
              `Cannot use project name "${given}": it should be made of lower-case letters, digits, "-" and "_", and begin with a letter or digit`,
        )
    for (const given of ['0', 'a-b_c', '9-'])
      assert.equal((await loadFiles({ 'compose.yaml': web }, { projectName: given })).project.name, given)
  })

  test('must be given where neither stack nor folder has one', async () => {
    const files = { '+++/compose.yaml': web }
    await assert.rejects(
      loadFiles(files, { files: ['+++/compose.yaml'] }),
      error =>
        isFailure(error, 'invalid') &&
        error.message === 'Cannot tell the name of the project: the folder has none that fits' &&
        error.hint === 'Give one with -p or "name:"',
    )
    const [first, ...more] = await problems({ 'compose.yaml': `${web}name: "+++"\n` })
    assert.deepEqual([first?.code, first?.place?.line, first?.place?.column, more], ['bad-name', 2, 7, []])
  })
})
