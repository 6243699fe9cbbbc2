import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFailure } from '../../src/lib/failure.ts'
import { at, loadFiles, problems } from './stacks.ts'

const stack = 'services: {web: {image: "${A-none} ${B-none}"}}\n'

async function image(files: Readonly<Record<string, string>>, options: Parameters<typeof loadFiles>[1] = {}) {
  return (await loadFiles({ 'compose.yaml': stack, ...files }, options)).project.services.web!.image
}

describe('variables come', () => {
  const files = { '.env': 'A=env\n', 'a.env': 'A=a\nB=a\n', 'b.env': 'B=b\n' }
  const cases: readonly (readonly [what: string, options: Parameters<typeof loadFiles>[1], found: string])[] = [
    ['of .env', {}, 'env none'],
    ['of the named files instead, the later ones first', { envFiles: ['a.env', 'b.env'] }, 'a b'],
    ['of .env when none is named', { envFiles: [] }, 'env none'],
    [
      'of the files of COMPOSE_ENV_FILES, with blanks about them',
      { env: { COMPOSE_ENV_FILES: 'a.env , b.env' } },
      'a b',
    ],
    ['of .env where COMPOSE_ENV_FILES is empty', { env: { COMPOSE_ENV_FILES: '' } }, 'env none'],
    [
      'of the named files whatever COMPOSE_ENV_FILES says',
      { envFiles: ['b.env'], env: { COMPOSE_ENV_FILES: 'a.env' } },
      'none b',
    ],
    ['of no file with COMPOSE_DISABLE_ENV_FILE=1', { env: { COMPOSE_DISABLE_ENV_FILE: '1' } }, 'none none'],
    ['of no file with COMPOSE_DISABLE_ENV_FILE=true', { env: { COMPOSE_DISABLE_ENV_FILE: 'true' } }, 'none none'],
    ['of .env with COMPOSE_DISABLE_ENV_FILE=false', { env: { COMPOSE_DISABLE_ENV_FILE: 'false' } }, 'env none'],
    ['of .env with COMPOSE_DISABLE_ENV_FILE=0', { env: { COMPOSE_DISABLE_ENV_FILE: '0' } }, 'env none'],
    [
      'of the named file whatever COMPOSE_DISABLE_ENV_FILE says',
      { envFiles: ['b.env'], env: { COMPOSE_DISABLE_ENV_FILE: '1' } },
      'none b',
    ],
    ['of nowhere by /dev/null', { envFiles: ['/dev/null'] }, 'none none'],
    ['of the process before all files', { env: { A: 'process' }, envFiles: ['a.env'] }, 'process a'],
    ['of the process even when they are empty', { env: { A: '' } }, ' none'],
  ]
  for (const [what, options, found] of cases) test(what, async () => assert.equal(await image(files, options), found))
})

test('a later file sees the variables of those before it, and the process first', async () => {
  const files = { 'a.env': 'A=a\n', 'b.env': 'B=${A}b\n' }
  assert.equal(await image(files, { envFiles: ['a.env', 'b.env'] }), 'a ab')
  assert.equal(await image(files, { envFiles: ['a.env', 'b.env'], env: { A: 'p' } }), 'p pb')
})

test('an env file that is not there is told by its name, as it was written', async () => {
  for (const options of [{ envFiles: ['sub/no.env'] }, { env: { COMPOSE_ENV_FILES: 'sub/no.env' } }])
    await assert.rejects(
      image({}, options),
      error => isFailure(error) && error.kind === 'invalid' && error.message === 'Cannot find env file "sub/no.env"',
    )
})

describe('what is wrong with an env file is told at its line', () => {
  const cases: readonly (readonly [text: string, where: string, message: string])[] = [
    ['A=1\n%B=2\n', '.env:2:1', 'Cannot read this line: character "%" cannot stand in a variable name'],
    ['\n\nA B=2\n', '.env:3:1', 'Cannot read this line: variable "A B" contains a space'],
    ['# A\nA="b\n', '.env:2:1', 'Cannot read this line: quoted value "b has no closing quote'],
    ["A='b\nc\n", '.env:1:1', "Cannot read this line: quoted value 'b has no closing quote"],
  ]
  for (const [text, where, message] of cases)
    test(JSON.stringify(text), async () => {
      const [first, ...more] = await problems({ 'compose.yaml': stack, '.env': text })
      assert.deepEqual([first?.code, at(first), first?.message], ['bad-env-file', where, message])
      assert.deepEqual(more, [])
    })

  test('a reference that must be set', async () => {
    const [first] = await problems({ 'compose.yaml': stack, '.env': 'A=1\nB=${NEEDED:?say it}\n' })
    assert.deepEqual([first?.code, at(first)], ['bad-env-file', '.env:2:1'])
    assert.match(first?.message ?? '', /NEEDED.*say it/)
  })
})
