/** What is wrong with files by themselves, told together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, problems } from './stacks.ts'

test('all that is wrong with the files is told at once, as it stands in them, and nothing that only follows from it', async () => {
  const found = await problems({
    'compose.yaml': `
services:
  web:
    imagee: busybox
    mem_limit: plenty
    ports: [http]
    networks: [front, 7]
    stop_grace_period: soon
networks:
  front: {internal: maybe}
`,
    'compose.override.yaml': `
services:
  web:
    init: perhaps
    depends_on: {db: {condition: there}}
    expose: ["\${PORT:?which}"]
    shm_size: \${SIZE:?how much}
`,
  })
  assert.deepEqual(
    found.map(problem => `${at(problem)} ${problem.path.join('.')}`),
    [
      'compose.yaml:4:5 services.web.imagee',
      'compose.yaml:5:16 services.web.mem_limit',
      'compose.yaml:6:13 services.web.ports.0',
      'compose.yaml:7:23 services.web.networks.1',
      'compose.yaml:8:24 services.web.stop_grace_period',
      'compose.yaml:10:21 networks.front.internal',
      'compose.override.yaml:4:11 services.web.init',
      'compose.override.yaml:5:34 services.web.depends_on.db.condition',
      'compose.override.yaml:6:15 services.web.expose.0',
      'compose.override.yaml:7:15 services.web.shm_size',
    ],
  )
})
