// A page that asks a service over SLIM. Bundled, it needs nothing but the page around it (docs/browser.md).
import { sharedSecret } from '@nestjs-slim/core';
import { SlimApp } from '@nestjs-slim/platform-browser';

const answers = document.querySelector('#answers');
const question = document.querySelector('form');

function show(text) {
  const line = document.createElement('li');
  line.textContent = text;
  answers.append(line);
}

function showError(reason) {
  show(`${reason.code ?? reason.name}: ${reason.message}`);
}

async function ask(session, text) {
  const payload = new TextEncoder().encode(JSON.stringify({ text }));
  const options = { payloadType: 'application/json', timeoutMs: 10_000 };
  const answer = await session.request(payload, options);
  return new TextDecoder().decode(answer.payload);
}

async function start({ node, service, secret }) {
  const app = await SlimApp.connect({
    name: 'acme/shop/page',
    identity: sharedSecret({ secret }),
    node,
  });
  const session = await app.openSession(service);
  show(`session with ${session.peer.toString()}, MLS: ${session.mls}`);

  question.addEventListener('submit', (event) => {
    event.preventDefault();
    ask(session, question.elements.text.value).then(show, showError);
  });
  window.addEventListener('pagehide', () => void app.close());
  question.hidden = false;
}

// Where the node is and whom to ask stand in the address of the page, behind the #.
start(Object.fromEntries(new URLSearchParams(location.hash.slice(1)))).catch(showError);
