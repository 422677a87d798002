import type { Mail } from './mail-sink.ts';

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fafafa }
  article { background: #fff; border: 1px solid #ddd; border-radius: 6px; padding: .6rem 1rem; margin: .8rem 0 }
  h2 { font-size: 1rem; margin: 0 }
  p { margin: 0; color: #666 }
  pre { white-space: pre-wrap; font: inherit; margin: .5rem 0 0 }`;

/** A page of mails, the newest first, that renews itself every two seconds. Whatever a mail contains is shown as text. */
export function mailPage(mails: readonly Mail[], total: number): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="2">
<title>Millrace mail (${total})</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Mail sent by the shop</h1>
<p>${total} arrived, ${mails.length} shown. Nothing leaves this machine. As JSON: <a href="/api/mails">/api/mails</a></p>
${mails.toReversed().map(entry).join('\n')}
</body>
</html>
`;
}

function entry({ to, subject, text, receivedAt }: Mail): string {
  return `<article>
<h2>${escapeHtml(subject)}</h2>
<p>to ${escapeHtml(to.join(', '))} at ${escapeHtml(receivedAt)}</p>
<pre>${escapeHtml(text)}</pre>
</article>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
