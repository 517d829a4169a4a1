using System.IdentityModel.Tokens.Jwt;
using System.Text.Json.Nodes;
using Helix.Runbooks.Model.SignOns;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Helix.Server.SignOns;

/// <summary>Whether an ID token may be believed: signed by the provider, for this server, now, and for this sign-on.</summary>
sealed class TokenCheck(SignOn settings, TimeProvider time)
{
    /// <summary>Two clocks may differ by so much.</summary>
    static readonly TimeSpan Skew = TimeSpan.FromMinutes(2);

    static readonly string[] Signatures =
    [
        SecurityAlgorithms.RsaSha256, SecurityAlgorithms.RsaSha384, SecurityAlgorithms.RsaSha512, SecurityAlgorithms.RsaSsaPssSha256, SecurityAlgorithms.RsaSsaPssSha384,
        SecurityAlgorithms.RsaSsaPssSha512, SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.EcdsaSha384, SecurityAlgorithms.EcdsaSha512,
    ];

    readonly OpenIdConnectProtocolValidator _protocol = new() { RequireTimeStampInNonce = false, RequireState = false, RequireStateValidation = false };

    /// <param name="last">A key that is not known is a reason to refuse, not to ask the provider for its keys.</param>
    /// <exception cref="SignOnRefusedException">It may not be believed.</exception>
    public async Task<JsonObject> Claims(OpenIdConnectMessage answer, OpenIdConnectConfiguration metadata, string nonce, bool last = false)
    {
        var result = await new JsonWebTokenHandler().ValidateTokenAsync(answer.IdToken, new TokenValidationParameters
        {
            ValidIssuer = metadata.Issuer,
            ValidAudience = settings.ClientId,
            IssuerSigningKeys = metadata.SigningKeys,
            ValidAlgorithms = Signatures,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            ClockSkew = Skew,
            LifetimeValidator = (from, until, _, _) => IsNow(from, until),
        });
        if (!result.IsValid)
            throw result.Exception is SecurityTokenSignatureKeyNotFoundException unknown && !last ? unknown : new SignOnRefusedException(Why(result.Exception));
        try
        {
            _protocol.ValidateTokenResponse(new OpenIdConnectProtocolValidationContext { ClientId = settings.ClientId, ProtocolMessage = answer, ValidatedIdToken = new JwtSecurityToken(answer.IdToken), Nonce = nonce });
        }
        catch (OpenIdConnectProtocolException e)
        {
            throw new SignOnRefusedException(e is OpenIdConnectProtocolInvalidNonceException ? "The token of the provider belongs to another sign-on." : "The token of the provider lacks what it must say.");
        }
        return JsonNode.Parse(Base64UrlEncoder.Decode(((JsonWebToken)result.SecurityToken).EncodedPayload))!.AsObject();
    }

    bool IsNow(DateTime? from, DateTime? until)
    {
        var now = time.GetUtcNow().UtcDateTime;
        return until is { } end && now <= end + Skew && (from is not { } start || now >= start - Skew);
    }

    // The library's own texts may hold what the token says.
    static string Why(Exception e) => e switch
    {
        SecurityTokenInvalidAudienceException => "The token of the provider is meant for another program.",
        SecurityTokenInvalidLifetimeException or SecurityTokenExpiredException or SecurityTokenNoExpirationException => "The token of the provider is over, or the clocks here and there differ.",
        SecurityTokenInvalidIssuerException => "The token was made by another provider.",
        SecurityTokenInvalidAlgorithmException => "The token of the provider is signed in a way that proves nothing.",
        SecurityTokenInvalidSignatureException => "The signature of the token is not that of the provider.",
        _ => "The token of the provider cannot be read.",
    };
}
