import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { at, loadFiles, problems } from './stacks.ts'

type Files = Readonly<Record<string, string>>

const including = (path: string, rest = '') => `include: [${path}]\nservices: {web: {image: web}}\n${rest}`

async function images(files: Files, options: Parameters<typeof loadFiles>[1] = {}) {
  const { project } = await loadFiles(files, options)
  return Object.fromEntries(Object.values(project.services).map(({ name, image }) => [name, image]))
}

test('an included stack has a folder and variables of its own', async () => {
  const files = {
    'compose.yaml': including('sub/a.yaml', 'x-own: "${A-none}"\n'),
    '.env': 'A=outer\nB=outer\n',
    'sub/a.yaml': 'services: {a: {image: "${A-none} ${B-none} ${C-none}", volumes: ["./d:/d"], env_file: a.env}}\n',
    'sub/.env': 'A=inner\nC=inner\n',
    'sub/a.env': 'D=d\n',
  }
  const { project } = await loadFiles(files)
  const { image, mounts, environment } = project.services.a!
  // what the including stack knows is stronger
  assert.equal(image, 'outer outer inner')
  assert.deepEqual(environment['D'], 'd')
  assert.deepEqual(
    mounts.map(mount => mount.kind === 'bind' && mount.source),
    [`${project.directory}/sub/d`],
  )
})

describe('the env files of an included stack', () => {
  const inner = 'services: {a: {image: "${A-none}"}}\n'
  const cases: readonly (readonly [named: string, found: string])[] = [
    ['{path: sub/a.yaml}', 'beside'],
    ['{path: sub/a.yaml, env_file: own.env}', 'own'],
    ['{path: sub/a.yaml, env_file: [own.env, more.env]}', 'more'],
    ['{path: sub/a.yaml, env_file: /dev/null}', 'none'],
    ['{path: sub/a.yaml, env_file: []}', 'beside'],
    ['{path: sub/a.yaml, project_directory: other}', 'other'],
    // a file stands for the folder it is in
    ['{path: sub/a.yaml, project_directory: other/compose.yaml}', 'other'],
    ['{path: sub/a.yaml, project_directory: ./}', 'none'],
  ]
  for (const [named, found] of cases)
    test(named, async () => {
      const files = {
        'compose.yaml': including(named),
        'sub/a.yaml': inner,
        'sub/.env': 'A=beside\n',
        'other/.env': 'A=other\n',
        'own.env': 'A=own\n',
        'more.env': 'A=more\n',
      }
      assert.equal((await images(files))['a'], found)
    })

  test('what is not there is told where the stack is included', async () => {
    const [first, ...more] = await problems({
      'compose.yaml': including('{path: sub/a.yaml, env_file: [no.env]}'),
      'sub/a.yaml': inner,
    })
    assert.deepEqual([first?.code, at(first), first?.path], ['missing-file', 'compose.yaml:1:11', ['include', '0']])
    assert.equal(first?.message, 'Cannot find env file "no.env"')
    assert.deepEqual(more, [])
  })
})

test('several files of one include are laid over one another', async () => {
  const files = {
    'compose.yaml': including('{path: [sub/a.yaml, sub/b.yaml]}'),
    'sub/a.yaml': 'services: {a: {image: one, user: one}}\n',
    'sub/b.yaml': 'services: {a: {image: two}}\n',
  }
  assert.deepEqual(await images(files), { web: 'web', a: 'two' })
})

test('a problem within an included stack says who includes it', async () => {
  const [first] = await problems({
    'compose.yaml': including('sub/a.yaml'),
    'sub/a.yaml': 'include: [b.yaml]\nservices: {a: {image: a}}\n',
    'sub/b.yaml': 'services: {b: {imgae: b}}\n',
  })
  assert.equal(at(first), 'sub/b.yaml:1:16')
  assert.deepEqual(first?.place?.via, ['included by sub/a.yaml:1:11', 'included by compose.yaml:1:11'])
})

test('what extends and what includes is wrong is told at once, of each file and each stack that it includes, and once', async () => {
  const files = {
    'compose.yaml': `include: [gone.yaml, sub/a.yaml, sub/b.yaml, {path: sub/good.yaml, env_file: bad.env}]
services:
  web: {image: web, extends: {service: nobody}}
`,
    'more.yaml': 'include: [gone2.yaml]\nservices: {api: {image: api, extends: {service: none, file: gone3.yaml}}}\n',
    'sub/a.yaml': 'include: [c.yaml]\nservices: {a: {image: a, extends: {service: x}}}\n',
    'sub/b.yaml': 'include: [c.yaml]\nservices: {b: {image: b}}\n',
    'sub/c.yaml': 'services: {c: {imgae: c}}\n',
    'sub/good.yaml': 'services: {good: {image: good}}\n',
    'bad.env': 'A="\n',
  }
  const found = await problems(files, { files: ['compose.yaml', 'more.yaml'] })
  assert.deepEqual(found.map(each => `${at(each)} ${each.code}`).sort(), [
    'bad.env:1:1 bad-env-file',
    'compose.yaml:1:11 missing-file',
    'compose.yaml:3:30 undefined-service',
    'more.yaml:1:11 missing-file',
    'more.yaml:2:61 missing-file',
    'sub/a.yaml:2:35 undefined-service',
    'sub/c.yaml:1:16 unknown-key',
  ])
})

test('a circle of includes is told in full', async () => {
  const [first] = await problems({
    'compose.yaml': including('sub/a.yaml'),
    'sub/a.yaml': 'include: [b.yaml]\n',
    'sub/b.yaml': 'include: [a.yaml]\n',
  })
  assert.equal(first?.code, 'include-cycle')
  assert.match(first?.message ?? '', /^Cannot include in a circle: .*sub\/a\.yaml → sub\/b\.yaml → sub\/a\.yaml$/)
})

describe('what both define', () => {
  const inner = {
    services: 'services: {same: {image: a, environment: {A: "1"}, ports: ["80:80"], labels: {a: b, c: d}}}\n',
    networks: 'networks: {same: {driver: bridge, internal: true}}\n',
    volumes: 'volumes: {same: {name: x}, empty: }\n',
    secrets: 'secrets: {same: {file: ./token}, variable: {environment: TOKEN}}\n',
    configs: 'configs: {same: {content: a}}\n',
  }
  const all = Object.values(inner).join('')
  const refused = async (own: string) => {
    const files = { 'compose.yaml': `include: [sub/a.yaml]\n${own}`, 'sub/a.yaml': all, 'sub/token': '', token: '' }
    return problems(files).catch(error => {
      if (String(error).includes('accepted')) return []
      throw error
    })
  }

  const accepted = [
    'services: {other: {image: a}}\nnetworks: {other: }\n',
    'services: {same: {labels: {c: d, a: b}, image: a, environment: {A: "1"}, ports: [{target: 80, published: "80", mode: ingress, protocol: tcp}]}}\n',
    'networks: {same: {internal: true, driver: bridge}}\n',
    'volumes: {same: {name: x}, empty: }\n',
    'configs: {same: {content: a}}\n',
  ]
  for (const own of accepted)
    test(`may be the same: ${own.trim()}`, async () => assert.deepEqual(await refused(own), []))

  const conflicts: readonly (readonly [own: string, path: string, here: string, there: string])[] = [
    ['services: {same: {image: b}}\n', 'services.same', '2:12', '1:12'],
    ['services: {same: {image: a, environment: {A: "1"}, labels: {a: b, c: d}}}\n', 'services.same', '2:12', '1:12'],
    ['networks: {same: {driver: bridge}}\n', 'networks.same', '2:12', '2:12'],
    ['networks: {same: }\n', 'networks.same', '2:12', '2:12'],
    ['volumes: {same: {name: y}}\n', 'volumes.same', '2:11', '3:11'],
    ['configs: {same: {content: b}}\n', 'configs.same', '2:11', '5:11'],
    // the short form is another form
    [
      'services: {same: {image: a, environment: {A: "1"}, ports: ["80:80"], labels: {a: b, c: d}}}\n',
      'services.same',
      '2:12',
      '1:12',
    ],
    // a path is resolved there, and a variable too
    ['secrets: {same: {file: ./token}}\n', 'secrets.same', '2:11', '4:11'],
    ['secrets: {variable: {environment: TOKEN}}\n', 'secrets.variable', '2:11', '4:34'],
  ]
  for (const [own, path, here, there] of conflicts)
    test(`must be the same: ${own.trim()}`, async () => {
      const [first, ...more] = await refused(own)
      assert.deepEqual(more, [])
      assert.deepEqual(
        [first?.code, at(first), first?.path.join('.')],
        ['include-conflict', `compose.yaml:${here}`, path],
      )
      assert.equal(
        first?.message,
        `Cannot define "${path.split('.')[1]}" here: it is already defined at sub/a.yaml:${there}, which compose.yaml:1:11 includes`,
      )
    })
})
