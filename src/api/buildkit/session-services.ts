/** What a client serves to the builder over its session, beside files: credentials, secrets, the SSH agent, uploads, blobs, and that it is there. */
import { bytesMessage } from './bytes-message.ts'
import { field, list, map, message } from './message.ts'
import { both, responses, service, unary } from './service.ts'

/** Credentials as they are, or a token that the client fetches itself; `salt`s prove that two sessions know the same password. */
export const auth = service('moby.filesync.v1.Auth', {
  credentials: unary(
    'Credentials',
    message({ host: field(1, 'string') }),
    message({ username: field(1, 'string'), secret: field(2, 'string') }),
  ),
  fetchToken: unary(
    'FetchToken',
    message({
      clientId: field(1, 'string'),
      host: field(2, 'string'),
      realm: field(3, 'string'),
      service: field(4, 'string'),
      scopes: list(5, 'string'),
    }),
    message({ token: field(1, 'string'), expiresIn: field(2, 'int64'), issuedAt: field(3, 'int64') }),
  ),
  getTokenAuthority: unary(
    'GetTokenAuthority',
    message({ host: field(1, 'string'), salt: field(2, 'bytes') }),
    message({ publicKey: field(1, 'bytes') }),
  ),
  verifyTokenAuthority: unary(
    'VerifyTokenAuthority',
    message({ host: field(1, 'string'), payload: field(2, 'bytes'), salt: field(3, 'bytes') }),
    message({ signed: field(1, 'bytes') }),
  ),
})

export const secrets = service('moby.buildkit.secrets.v1.Secrets', {
  getSecret: unary(
    'GetSecret',
    message({ id: field(1, 'string'), annotations: map(2, 'string') }),
    message({ data: field(1, 'bytes') }),
  ),
})

/** Metadata of ForwardAgent: which agent. */
export const sshIdKey = 'buildkit.ssh.id'
export const ssh = service('moby.sshforward.v1.SSH', {
  checkAgent: unary('CheckAgent', message({ id: field(1, 'string') }), message({})),
  forwardAgent: both('ForwardAgent', bytesMessage, bytesMessage),
})

/** Metadata of Pull: what to send, the path of its URL. */
export const upload = service('moby.upload.v1.Upload', { pull: both('Pull', bytesMessage, bytesMessage) })

/** Metadata of each call: which of the client's stores of blobs; "oci:" and the name that a context has. */
export const storeKey = 'buildkit-attachable-store-id'
/** Blobs by their digests. (containerd: api/services/content/v1; what a builder reads by) */
export const content = service('containerd.services.content.v1.Content', {
  info: unary(
    'Info',
    message({ digest: field(1, 'string') }),
    message({ info: field(1, message({ digest: field(1, 'string'), size: field(2, 'int64') })) }),
  ),
  read: responses(
    'Read',
    message({ digest: field(1, 'string'), offset: field(2, 'int64'), size: field(3, 'int64') }),
    message({ offset: field(1, 'int64'), data: field(2, 'bytes') }),
  ),
})

/** 1 is serving. */
export const health = service('grpc.health.v1.Health', {
  check: unary('Check', message({ service: field(1, 'string') }), message({ status: field(1, 'int32') })),
})
