// A guestbook over HTTP: GET / lists the entries, POST / adds one. The entries are a Redis list.
const { createServer } = require('node:http')
const { connect } = require('node:net')
const { hostname } = require('node:os')

const key = 'guestbook'
const limit = 1000

/** Sends one command in Redis's own protocol (RESP) and resolves with its reply: a number, a string or a list of strings. */
function redis(...words) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: process.env.REDIS_HOST, port: 6379 })
    socket.setTimeout(3000, () => socket.destroy(new Error('the store does not answer')))
    socket.once('error', reject)
    let received = Buffer.alloc(0)
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      const reply = parse(received, 0)
      if (!reply) return
      socket.end()
      if (reply.value instanceof Error) reject(reply.value)
      else resolve(reply.value)
    })
    socket.write(`*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`)
  })
}

/** One reply from `at` on with the offset behind it, or undefined when it is not there whole. */
function parse(buffer, at) {
  const eol = buffer.indexOf('\r\n', at)
  if (eol < 0) return undefined
  const rest = buffer.toString('utf8', at + 1, eol)
  const next = eol + 2
  switch (String.fromCharCode(buffer[at])) {
    case '+':
      return { value: rest, next }
    case '-':
      return { value: new Error(rest), next }
    case ':':
      return { value: Number(rest), next }
    case '$': {
      const length = Number(rest)
      if (length < 0) return { value: null, next }
      return buffer.length < next + length + 2 ? undefined : { value: buffer.toString('utf8', next, next + length), next: next + length + 2 }
    }
    case '*': {
      const value = []
      let position = next
      for (let left = Number(rest); left > 0; left--) {
        const item = parse(buffer, position)
        if (!item) return undefined
        value.push(item.value)
        position = item.next
      }
      return { value, next: position }
    }
    default:
      return { value: new Error('not a Redis reply'), next }
  }
}

async function body(request) {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > limit) throw Object.assign(new Error(`an entry has at most ${limit} characters`), { status: 413 })
  }
  return text.trim()
}

async function answer(request) {
  if (request.url === '/healthz') return { ok: (await redis('PING')) === 'PONG' }
  if (request.url !== '/') throw Object.assign(new Error('there is only /'), { status: 404 })
  if (request.method === 'POST') {
    const entry = await body(request)
    if (!entry) throw Object.assign(new Error('an entry has at least one character'), { status: 400 })
    return { entries: await redis('RPUSH', key, entry), by: hostname() }
  }
  return { entries: await redis('LRANGE', key, '0', '-1'), by: hostname() }
}

const server = createServer(async (request, response) => {
  let status = 200
  let reply
  try {
    reply = await answer(request)
  } catch (error) {
    status = error.status ?? 503
    reply = { error: error.message }
  }
  console.log(`${request.method} ${request.url} ${status}`)
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(reply)}\n`)
}).listen(Number(process.env.PORT), () => console.log(`guestbook listens on ${process.env.PORT}`))

// who is told to end answers what it was asked first
process.once('SIGTERM', () => server.close(() => process.exit(0)))
