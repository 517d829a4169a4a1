using System.Net.Sockets;
using Helix.Runbooks.Steps;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Helix.Steps.Messages;

/// <summary>One mail to everybody of an e-mail target.</summary>
sealed class MailDelivery(EmailTarget target, PlanContext context)
{
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(15);

    public async Task Send(Message message)
    {
        using var mail = Mail(message);
        using var client = new SmtpClient { Timeout = (int)Patience.TotalMilliseconds };
        try
        {
            await client.ConnectAsync(target.Host, target.Port, Security(), context.Cancelled);
            if (target is { User: { } user, Password: { } password })
                await client.AuthenticateAsync(user, await context.Reveal(password), context.Cancelled);
            await client.SendAsync(mail, context.Cancelled);
            await client.DisconnectAsync(quit: true, context.Cancelled);
        }
        catch (AuthenticationException)
        {
            throw StepFailedException.Auth($"The mail server of target '{target.Name}' refuses the account {target.User}.", "Nobody was told by mail.");
        }
        catch (ServiceNotAuthenticatedException)
        {
            throw StepFailedException.Auth($"The mail server of target '{target.Name}' takes mail from an account only.", "Nobody was told by mail. Set user and password of the target.");
        }
        catch (SmtpCommandException e)
        {
            throw new StepFailedException((int)e.StatusCode is >= 400 and < 500 ? FailureClass.Transient : FailureClass.InvalidData,
                $"The mail server of target '{target.Name}' refuses the mail: {(int)e.StatusCode} {e.Message}", "Nobody was told by mail.");
        }
        catch (Exception e) when (e is SocketException or IOException or TimeoutException or ProtocolException or SslHandshakeException or ServiceNotConnectedException or NotSupportedException
            || (e is OperationCanceledException && !context.Cancelled.IsCancellationRequested))
        {
            throw new StepFailedException(e is NotSupportedException ? FailureClass.InvalidData : FailureClass.Transient,
                $"The mail server of target '{target.Name}', {target.Host}:{target.Port}, cannot be used: {e.Message}", "Nobody was told by mail.");
        }
    }

    MimeMessage Mail(Message message)
    {
        var mail = new MimeMessage { Subject = OneLine(message.Heading), Date = message.At, MessageId = $"{OneLine(message.Id)}@helix" };
        mail.From.Add(Parsed(target.From));
        foreach (var to in target.To)
            mail.To.Add(Parsed(to));
        mail.Body = new TextPart("plain")
        {
            Text = $"{message.Text}\n\n{(message.Link is { } link ? $"{link}\n\n" : "")}{message.Facts}, {message.At:u}\n",
        };
        return mail;
    }

    SecureSocketOptions Security() => target.Security switch
    {
        MailSecurity.Tls => SecureSocketOptions.SslOnConnect,
        MailSecurity.StartTls => SecureSocketOptions.StartTls,
        _ => SecureSocketOptions.None,
    };

    MailboxAddress Parsed(string address) =>
        MailboxAddress.TryParse(address, out var mailbox) ? mailbox : throw new RunbookException($"'{address}' of target '{target.Name}' is no mail address.");

    static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
