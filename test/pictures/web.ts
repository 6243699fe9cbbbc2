/** The pictures of the web view in the README, made of a real run: `node test/pictures/web.ts`, as root, with chromium. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Background } from '../support/background.ts'
import { openBrowser, openView, type Size } from '../support/browser.ts'
import { launcher, TestEngine } from '../support/engine.ts'

const pictures = fileURLToPath(new URL('../../examples/pictures', import.meta.url))

const says = (text: string, pause: string): string => `[sh, -c, 'while true; do echo ${text}; sleep ${pause}; done']`
const stacks: Readonly<Record<string, string>> = {
  shop: `services:
  web:
    image: busybox
    scale: 2
    environment: { THEME: dark }
    command: ${says('"level=info msg=request status=200"', '1')}
    ports: ['127.0.0.1:8480-8489:80']
    depends_on: { api: { condition: service_healthy } }
    networks: [front]
  api:
    image: busybox
    command: ${says('"level=info msg=order"', '2')}
    healthcheck: { test: ['CMD', 'true'], interval: 5s, start_interval: 1s, start_period: 5s }
    mem_limit: 64m
    depends_on:
      db: { condition: service_healthy }
      migrate: { condition: service_completed_successfully }
    networks: [front, back]
  db:
    image: busybox
    command: [sleep, '10000']
    healthcheck: { test: ['CMD', 'true'], interval: 5s, start_interval: 1s, start_period: 5s }
    volumes: ['data:/var/lib/db']
    networks: [back]
  migrate:
    image: busybox
    command: [echo, done]
    depends_on: { db: { condition: service_healthy } }
    networks: [back]
  mail:
    image: busybox
    command: [sh, -c, 'echo "level=info msg=connecting to=smtp:25"; sleep 1; echo "level=error msg=\\"connection refused\\" to=smtp:25"; exit 3']
    restart: on-failure
    networks: [back]
networks: { front: {}, back: {} }
volumes: { data: {} }
`,
  blog: `services:
  site: { image: busybox, command: [sleep, '10000'], ports: ['8490:80'] }
  cache:
    image: busybox
    command: [sleep, '10000']
    healthcheck: { test: ['CMD-SHELL', 'echo "PING: connection refused"; exit 1'], interval: 1s, retries: 2 }
`,
  wiki: `services:
  app: { image: busybox, command: [sleep, '10000'], ports: ['127.0.0.1:8491:80'] }
  search: { image: busybox, command: [sleep, '10000'] }
  store: { image: busybox, command: [sleep, '10000'] }
`,
}

interface Picture extends Size {
  readonly name: string
  readonly path: string
  readonly height: number
}

const wanted: readonly Picture[] = [
  { name: 'web-stacks', path: '/', width: 1180, height: 800, scheme: 'light' },
  { name: 'web-plan', path: '/s/shop/plan', width: 1180, height: 720, scheme: 'dark' },
]

const folderOf = (name: string) => join('/srv', name)
for (const name of Object.keys(stacks)) assert.ok(!existsSync(folderOf(name)), `${folderOf(name)} is in use`)
const engine = await TestEngine.start()
try {
  for (const [name, yaml] of Object.entries(stacks)) {
    mkdirSync(folderOf(name), { recursive: true })
    writeFileSync(join(folderOf(name), 'compose.yaml'), yaml)
    const said = await engine.tscompose(['up', '-d'], { cwd: folderOf(name) })
    assert.equal(said.code, 0, said.stderr)
  }
  const changed = stacks['shop']!.replace('THEME: dark', 'THEME: light').replace('64m', '96m')
  writeFileSync(join(folderOf('shop'), 'compose.yaml'), changed)
  await using server = new Background(launcher, ['web', '--port', '0'], { cwd: '/', env: engine.env })
  await server.says(/login\?token=/)
  const browser = await openBrowser()
  mkdirSync(pictures, { recursive: true })
  for (const { name, path, height, ...size } of wanted) {
    const { page, context, go } = await openView(browser, server, size)
    await page.setViewportSize({ width: size.width, height })
    await go(path)
    // the crash loop and the healthcheck have shown themselves, a drawing is drawn
    await page.locator('.waiting').waitFor({ state: 'detached' })
    await page.waitForTimeout(4000)
    await page.screenshot({ path: join(pictures, `${name}.png`) })
    await context.close()
  }
  await browser.close()
} finally {
  for (const name of Object.keys(stacks)) rmSync(folderOf(name), { recursive: true, force: true })
  await engine.stop()
}
